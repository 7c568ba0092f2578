package router

import (
	"math"
	"strconv"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/gemini-monitor/gemini/tracker/process"
)

// A guard shows that a process or a thread is still the one for which it was opened. It is
// a pidfd, which no later process with the PID has anything to do with, or where that is
// refused, a file of /proc/PID: what is behind it goes with the process (pidfd_open(2),
// proc_pid(5)).
type guard struct {
	fd    int32
	isPid bool
}

type guards struct{}

func newGuards() (*guards, error) { return &guards{}, nil }

func (*guards) end() error { return nil }

// mostGuards is how many descriptors the guards take. The limit may be lowered at any time
// (prlimit(2)): then guards cannot be opened for a while.
func mostGuards() int {
	const most = 1 << 14
	var limit unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &limit) != nil || limit.Cur/4 > most {
		return most
	}
	return max(1, int(limit.Cur/4))
}

// open opens the guard of a seat. It sets the process of the seat where the PID is that of a
// thread. The error is [process.ErrGone] where there is no such process or thread.
func (g *guards) open(x *guard, s *seat) error {
	x.fd = -1
	if s.pid > math.MaxInt32 {
		return process.ErrGone
	}
	fd, err := unix.PidfdOpen(s.pid, 0)
	switch err {
	case nil:
		*x = guard{int32(fd), true}
		return nil
	case unix.ESRCH:
		return process.ErrGone
	}
	// ENOENT, before 6.13 EINVAL: a thread that is not the first one. Others: no pidfds.
	lead, gone := process.OfThread(s.pid)
	if gone != nil {
		return gone
	}
	flags := 0
	if lead != s.pid {
		s.lead, flags = lead, unix.PIDFD_THREAD
	}
	if fd, err = unix.PidfdOpen(s.pid, flags); err == nil {
		*x = guard{int32(fd), true}
	} else if fd, err = unix.Open("/proc/"+strconv.Itoa(s.pid)+"/comm", unix.O_RDONLY|unix.O_CLOEXEC, 0); err == nil {
		*x = guard{int32(fd), false}
	}
	if err == unix.ESRCH || err == unix.ENOENT {
		return process.ErrGone
	}
	if err != nil {
		return err
	}
	// The thread may have been another process's when it was looked up.
	if again, gone := process.OfThread(s.pid); gone != nil || again != lead || !g.alive(x) {
		g.close(x)
		return process.ErrGone
	}
	return nil
}

// alive reports whether the process or thread of a guard lives: then it has its PID still. A
// pidfd is readable from the end of the process on. Of the system calls that show this,
// poll(2) takes the least time. It blocks nowhere, so the scheduler is not told of it.
func (*guards) alive(x *guard) bool {
	if x.isPid {
		poll := unix.PollFd{Fd: x.fd, Events: unix.POLLIN}
		var now unix.Timespec
		for {
			ready, _, errno := unix.RawSyscall6(unix.SYS_PPOLL, uintptr(unsafe.Pointer(&poll)), 1, uintptr(unsafe.Pointer(&now)), 0, 0, 0)
			if errno != unix.EINTR {
				return errno == 0 && ready == 0
			}
		}
	}
	return x.fd >= 0 && readable(int(x.fd))
}

// readable reports whether the name of the process behind a file of /proc can be read.
func readable(fd int) bool {
	var name [16]byte
	n, err := unix.Pread(fd, name[:], 0)
	return err == nil && n > 0
}

// close ends a guard, once. Others may still read it.
func (*guards) close(x *guard) {
	if x.fd >= 0 {
		_ = unix.Close(int(x.fd))
	}
}
