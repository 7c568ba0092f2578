//go:build darwin || linux

package puppet

import (
	"errors"
	"fmt"
	"net"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/gemini-monitor/gemini/harness/internal/descriptor"
)

// trace attaches to a process and returns when it has stopped. On Linux the tracer is
// a thread, so the goroutine stays on this one from now on.
func trace(pid int) error {
	runtime.LockOSThread()
	if err := unix.PtraceAttach(pid); err != nil {
		return fmt.Errorf("attach to %d: %w", pid, err)
	}
	var status unix.WaitStatus
	for {
		_, err := unix.Wait4(pid, &status, unix.WUNTRACED, nil)
		if err == unix.EINTR {
			continue
		}
		// Go's Stopped denies a stop by SIGSTOP on macOS.
		if err == nil && status&0xff != 0x7f {
			err = errors.New("the process has ended")
		}
		if err != nil {
			return fmt.Errorf("wait for %d to stop: %w", pid, err)
		}
		return nil
	}
}

// lend sends copies of the inherited descriptors over a socket.
func lend(socket string) error {
	inherited, err := descriptor.Inherited()
	if err != nil {
		return err
	}
	conn, err := net.DialUnix("unix", nil, &net.UnixAddr{Net: "unix", Name: socket})
	if err != nil {
		return err
	}
	defer conn.Close()
	// unix(7): descriptors are sent with at least one byte of data.
	_, _, err = conn.WriteMsgUnix([]byte{0}, syscall.UnixRights(inherited...), nil)
	return err
}
