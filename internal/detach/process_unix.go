//go:build darwin || linux

package detach

import (
	"os"
	"os/signal"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/gemini-monitor/gemini/internal/descriptor"
	"github.com/gemini-monitor/gemini/internal/sigmask"
)

// closeOnExec keeps a descriptor from being inherited.
func closeOnExec(fd int) { unix.CloseOnExec(fd) }

// closeInheritedOnExec keeps the second process from inheriting the descriptors
// that the user had open. A pipe among them would keep its reader waiting, and
// the lease of a runtime around this one would keep that runtime. It is an error
// when that cannot be done for all of them.
func closeInheritedOnExec() error { return descriptor.CloseOnExec() }

// ownSession starts a child as the leader of a session without a terminal.
func ownSession() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setsid: true} }

// startOutside starts a child as [Outside] has it, with files as its descriptors from 0 up. It is
// not waited for, so it takes no pidfd: to find out whether those work, package os starts a
// process first.
func startOutside(argv []string, files ...*os.File) error {
	attributes := &syscall.ProcAttr{Dir: "/", Env: environment(), Sys: ownSession()}
	for _, file := range files {
		attributes.Files = append(attributes.Files, file.Fd())
	}
	_, _, err := syscall.StartProcess(argv[0], argv, attributes)
	runtime.KeepAlive(files)
	return os.NewSyscallError("exec "+argv[0], err)
}

// left are the signals that Go's runtime leaves ignored where it finds them so
// (runtime/signal_unix.go, initsig).
var left = []syscall.Signal{syscall.SIGHUP, syscall.SIGINT, syscall.SIGCONT, syscall.SIGTSTP, syscall.SIGTTIN, syscall.SIGTTOU}

// resetSignals gives the children of this process the default action for each signal.
// Package syscall resets the signals that have a handler, and leaves ignored ones ignored.
// os/signal changes threads four times for each signal that gets a handler, so only those get
// one that need it.
func resetSignals() {
	for _, one := range left {
		if mayBeIgnored(one) {
			signal.Notify(make(chan os.Signal, 1), one)
		}
	}
}

// unblocked is set in the environment of a process that unblockSignals has started anew.
const unblocked = "MONITOR_UNBLOCKED"

// unblockSignals starts this program anew, in the same process, where signals were
// blocked when it was started: a Go program gives that mask to its children. The caller
// has locked its goroutine to its thread.
func unblockSignals() error {
	before, err := sigmask.Set(0)
	if err != nil || before == 0 || os.Getenv(unblocked) != "" {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	return os.NewSyscallError("exec", syscall.Exec(self, os.Args, append(environment(), unblocked+"=1")))
}
