package resident

import (
	"os"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// A dirSource is a kqueue that watches one open directory. XNU posts NOTE_WRITE on it when
// an entry is made, removed or renamed, and does not say which (docs/xnu.md X56).
type dirSource struct {
	kq, dir int
	stopped atomic.Bool
}

// wakeIdent is the ident of the event that ends a wait.
const wakeIdent = 1

func watchDir(path string) (s *dirSource, err error) {
	// O_EVTONLY: the file system can be unmounted meanwhile.
	dir, err := unix.Open(path, unix.O_EVTONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	kq, err := unix.Kqueue()
	if err != nil {
		unix.Close(dir)
		return nil, os.NewSyscallError("kqueue", err)
	}
	unix.CloseOnExec(kq)
	s = &dirSource{kq: kq, dir: dir}
	_, err = unix.Kevent(kq, []unix.Kevent_t{
		{Ident: wakeIdent, Filter: unix.EVFILT_USER, Flags: unix.EV_ADD | unix.EV_CLEAR},
		{Ident: uint64(dir), Filter: unix.EVFILT_VNODE, Flags: unix.EV_ADD | unix.EV_CLEAR, Fflags: unix.NOTE_WRITE | unix.NOTE_DELETE | unix.NOTE_REVOKE},
	}, nil, nil)
	if err != nil {
		s.close()
		return nil, os.NewSyscallError("kevent", err)
	}
	return s, nil
}

// next blocks until an entry has changed, which may be the socket or the lock. stop makes
// it return an error.
func (s *dirSource) next() (concerned bool, err error) {
	var events [2]unix.Kevent_t
	n, err := unix.Kevent(s.kq, nil, events[:], nil)
	switch {
	case err == unix.EINTR:
		return false, nil
	case err != nil:
		return false, os.NewSyscallError("kevent", err)
	case s.stopped.Load():
		return false, os.ErrClosed
	}
	return n > 0, nil
}

func (s *dirSource) stop() {
	s.stopped.Store(true)
	_, _ = unix.Kevent(s.kq, []unix.Kevent_t{{Ident: wakeIdent, Filter: unix.EVFILT_USER, Fflags: unix.NOTE_TRIGGER}}, nil, nil)
}

func (s *dirSource) close() {
	_ = unix.Close(s.kq)
	_ = unix.Close(s.dir)
}
