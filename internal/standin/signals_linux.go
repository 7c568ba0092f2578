package standin

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// ofTerminal are the signals that a terminal sends to the process group that has it, or to
// another one that reads or writes.
var ofTerminal = []syscall.Signal{unix.SIGINT, unix.SIGQUIT, unix.SIGTSTP, unix.SIGHUP, unix.SIGWINCH}

// harmless are the signals that by default do nothing.
var harmless = []syscall.Signal{unix.SIGWINCH}

// firstRealTime and lastRealTime bound the signals that have no name. Those before them are
// the C library's.
const firstRealTime, lastRealTime = 35, 64

// passed are the signals that are passed on. Those that report a fault are this process's
// own, and so are SIGPIPE, SIGCHLD, and SIGURG and SIGPROF of Go's runtime.
var passed = func() []syscall.Signal {
	all := []syscall.Signal{
		unix.SIGHUP, unix.SIGINT, unix.SIGQUIT, unix.SIGABRT, unix.SIGUSR1, unix.SIGUSR2, unix.SIGALRM,
		unix.SIGTERM, unix.SIGCONT, unix.SIGTSTP, unix.SIGTTIN, unix.SIGTTOU, unix.SIGXCPU, unix.SIGXFSZ,
		unix.SIGVTALRM, unix.SIGWINCH, unix.SIGIO, unix.SIGPWR,
	}
	for s := syscall.Signal(firstRealTime); s <= lastRealTime; s++ {
		all = append(all, s)
	}
	return all
}()
