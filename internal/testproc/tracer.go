//go:build darwin || linux

package testproc

import (
	"bufio"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// tracer is the part of a debugger: it attaches to a process, which stops, and
// detaches at each order. It never waits for the end of the process that it traces.
func tracer() {
	pid := Variable(RootVariable)
	if err := unix.PtraceAttach(pid); err != nil {
		fmt.Println(err)
		return
	}
	var status unix.WaitStatus
	_, err := unix.Wait4(pid, &status, unix.WUNTRACED, nil)
	for err == unix.EINTR {
		_, err = unix.Wait4(pid, &status, unix.WUNTRACED, nil)
	}
	Must(err)
	fmt.Println("attached")
	orders := bufio.NewScanner(os.Stdin)
	for orders.Scan() {
		Must(unix.PtraceDetach(pid))
		fmt.Println("detached")
	}
}
