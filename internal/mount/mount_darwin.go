package mount

import (
	"os"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// sysFcntl is the number of fcntl(2) (xnu bsd/kern/syscalls.master). x/sys has no call of
// it that takes a buffer.
const sysFcntl = 92

// canonical returns the path of a directory as the mounts are named: without links, and
// with the letters of the names as they are stored (fcntl(2), F_GETPATH).
func canonical(dir string) (string, error) {
	file, err := os.Open(dir)
	if err != nil {
		return "", err
	}
	defer file.Close()
	var path [unix.PathMax]byte
	if _, _, errno := unix.Syscall(sysFcntl, file.Fd(), unix.F_GETPATH, uintptr(unsafe.Pointer(&path[0]))); errno != 0 {
		return "", os.NewSyscallError("fcntl F_GETPATH", errno)
	}
	return unix.ByteSliceToString(path[:]), nil
}

// points returns where file systems are mounted, without asking these
// (getfsstat(2), MNT_NOWAIT).
func points() (all []string, err error) {
	for room := 64; ; room *= 2 {
		mounts := make([]unix.Statfs_t, room)
		n, err := unix.Getfsstat(mounts, unix.MNT_NOWAIT)
		if err != nil {
			return nil, os.NewSyscallError("getfsstat", err)
		}
		if n == room {
			continue // there may be more
		}
		for _, m := range mounts[:n] {
			all = append(all, unix.ByteSliceToString(m.Mntonname[:]))
		}
		return all, nil
	}
}

// A source is a kqueue with EVFILT_FS (docs/xnu.md X50).
type source struct {
	kq      int
	stopped atomic.Bool
}

// wakeIdent is the ident of the event that ends a wait.
const wakeIdent = 1

func newSource() (*source, error) {
	kq, err := unix.Kqueue()
	if err != nil {
		return nil, os.NewSyscallError("kqueue", err)
	}
	unix.CloseOnExec(kq)
	s := &source{kq: kq}
	_, err = unix.Kevent(kq, []unix.Kevent_t{
		{Filter: unix.EVFILT_FS, Flags: unix.EV_ADD | unix.EV_CLEAR},
		{Ident: wakeIdent, Filter: unix.EVFILT_USER, Flags: unix.EV_ADD | unix.EV_CLEAR},
	}, nil, nil)
	if err != nil {
		unix.Close(kq)
		return nil, os.NewSyscallError("kevent", err)
	}
	return s, nil
}

// next blocks until there is a change or stop is called, which is an error.
func (s *source) next() error {
	for {
		var events [4]unix.Kevent_t
		n, err := unix.Kevent(s.kq, nil, events[:], nil)
		switch {
		case err == unix.EINTR:
		case err != nil:
			return os.NewSyscallError("kevent", err)
		case s.stopped.Load():
			return os.ErrClosed
		case n > 0:
			return nil
		}
	}
}

func (s *source) stop() {
	s.stopped.Store(true)
	wake := unix.Kevent_t{Ident: wakeIdent, Filter: unix.EVFILT_USER, Fflags: unix.NOTE_TRIGGER}
	_, _ = unix.Kevent(s.kq, []unix.Kevent_t{wake}, nil, nil)
}

func (s *source) close() { _ = unix.Close(s.kq) }
