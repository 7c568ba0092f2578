package testproc

import (
	"fmt"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// leaderless is the part of a process whose first thread ends before the
// others. Another thread waits at gate 1, and then ends the process, or execs a
// shell with the script in its environment.
func leaderless() {
	go func() {
		waitAt(1)
		if script := os.Getenv(ScriptVariable); script != "" {
			Must(syscall.Exec("/bin/sh", []string{"sh", "-c", script}, nil))
		}
		os.Exit(0)
	}()
	fmt.Println("root", os.Getpid())
	waitAt(0)
	// Not a raw call: the runtime has to know that the thread is in the kernel,
	// for it never comes back.
	_, _, _ = unix.Syscall(unix.SYS_EXIT, 0, 0, 0)
}

// ScriptVariable holds what the leaderless part runs in a shell.
const ScriptVariable = "TRACKER_SCRIPT"

func waitAt(gate int) {
	var one [1]byte
	_, _ = unix.Read(4+gate, one[:])
}
