package standin

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// ofTerminal are the signals that a terminal sends to the process group that has it, or to
// another one that reads or writes.
var ofTerminal = []syscall.Signal{unix.SIGINT, unix.SIGQUIT, unix.SIGTSTP, unix.SIGHUP, unix.SIGWINCH, unix.SIGINFO}

// harmless are the signals that by default do nothing.
var harmless = []syscall.Signal{unix.SIGWINCH, unix.SIGINFO, unix.SIGIO}

// passed are the signals that are passed on. Those that report a fault are this process's
// own, and so are SIGPIPE, SIGCHLD, and SIGURG and SIGPROF of Go's runtime.
var passed = []syscall.Signal{
	unix.SIGHUP, unix.SIGINT, unix.SIGQUIT, unix.SIGABRT, unix.SIGUSR1, unix.SIGUSR2, unix.SIGALRM,
	unix.SIGTERM, unix.SIGCONT, unix.SIGTSTP, unix.SIGTTIN, unix.SIGTTOU, unix.SIGXCPU, unix.SIGXFSZ,
	unix.SIGVTALRM, unix.SIGWINCH, unix.SIGIO, unix.SIGINFO,
}
