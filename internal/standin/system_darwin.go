package standin

import (
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/sys/unix"
)

// attributes are none: XNU has no signal at the death of a parent.
func attributes() *syscall.SysProcAttr { return nil }

// put makes a descriptor another name of an open file.
func put(file, descriptor int) error { return unix.Dup2(file, descriptor) }

// ignores reports whether this process ignores a signal. Of those that stop, that is not
// known.
func ignores(s syscall.Signal) bool { return signal.Ignored(s) }

// stopSelf stops this process, and returns when the process goes on. The signal is always
// SIGSTOP, because Go's runtime keeps its handlers of the others.
func stopSelf(syscall.Signal) { _ = unix.Kill(os.Getpid(), unix.SIGSTOP) }

// noCore has this process leave no core file.
func noCore() { noCoreFile() }
