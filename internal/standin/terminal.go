//go:build darwin || linux

package standin

import (
	"io"
	"os"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/gemini-monitor/gemini/internal/descriptor"
	"github.com/gemini-monitor/gemini/internal/sigmask"
)

// openTerminal opens the controlling terminal of this process. It is an error if there is
// none.
func openTerminal() (int, error) {
	return unix.Open("/dev/tty", unix.O_RDONLY|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
}

// inForeground reports whether the group of this process has its terminal.
func inForeground() bool {
	tty, err := openTerminal()
	if err != nil {
		return false
	}
	defer unix.Close(tty)
	return hasGroup(tty)
}

// hasGroup reports whether a descriptor is the controlling terminal of this process, and the
// group of the process has it.
func hasGroup(tty int) bool {
	group, err := unix.IoctlGetInt(tty, unix.TIOCGPGRP)
	return err == nil && group == unix.Getpgrp()
}

// attended reports whether a stop of this process is seen, by a shell for instance.
func attended() bool {
	tty, err := openTerminal()
	if err == nil {
		unix.Close(tty)
	}
	session, failed := unix.Getsid(0)
	parents, hidden := unix.Getsid(os.Getppid())
	return failed == nil && hidden == nil && followsStop(err == nil, session, parents)
}

// Say writes a line to standard error, if that is the terminal of this process and its group
// has it. It is for the time after the child's end.
func Say(line string) {
	const stderr = 2
	if !hasGroup(stderr) {
		return
	}
	// The group may lose the terminal now. Where "stty tostop" is set, writing would stop
	// this group then, unless the signal is blocked.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	before, err := sigmask.Get()
	if err != nil {
		return
	}
	if _, err := sigmask.Set(before | 1<<(unix.SIGTTOU-1)); err != nil {
		return
	}
	defer func() { _, _ = sigmask.Set(before) }()
	_, _ = io.WriteString(os.Stderr, line+"\n")
}

// leaveStreams closes what another process may wait for the end of: standard input and output
// become the null device, and so do standard error and what else was inherited, if they are
// pipes or sockets. A terminal stays, and a file, which may be a lock. What fails keeps a
// reader waiting, and is no reason to end.
func leaveStreams() {
	null, err := unix.Open(os.DevNull, unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return
	}
	defer unix.Close(null)
	inherited, _ := descriptor.Inherited()
	for _, fd := range append([]int{0, 1, 2}, inherited...) {
		if fd < 2 || hasOtherEnd(fd) {
			_ = put(null, fd)
			if fd > 2 {
				unix.CloseOnExec(fd)
			}
		}
	}
}

func hasOtherEnd(fd int) bool {
	var stat unix.Stat_t
	if unix.Fstat(fd, &stat) != nil {
		return false
	}
	kind := stat.Mode & unix.S_IFMT
	return kind == unix.S_IFIFO || kind == unix.S_IFSOCK
}

// noCoreFile sets the soft limit of core files to nothing.
func noCoreFile() {
	var limit unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_CORE, &limit) == nil {
		limit.Cur = 0
		_ = unix.Setrlimit(unix.RLIMIT_CORE, &limit)
	}
}

// stopOf returns the signal that stopped a child, if it was one that the status tells of.
// Go's WaitStatus takes a stop by SIGSTOP for a continuation on macOS (docs/xnu.md X48),
// which this process does not ask for.
func stopOf(status syscall.WaitStatus) (by syscall.Signal, stopped bool) {
	return syscall.Signal(status >> 8 & 0xff), status&0xff == 0x7f
}

// stopSignal returns the signal by which this process stops as its child did.
func stopSignal(by syscall.Signal) syscall.Signal {
	switch by {
	case syscall.SIGTSTP, syscall.SIGTTIN, syscall.SIGTTOU:
		return by
	}
	return syscall.SIGSTOP
}
