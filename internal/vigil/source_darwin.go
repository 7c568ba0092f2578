package vigil

import (
	"os"
	"path/filepath"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// A source is a kqueue that watches one open directory, and the file in it that counts
// (docs/xnu.md X56).
type source struct {
	kq, dir, file int // file is -1 where none counts
	stopped       atomic.Bool
}

// wakeIdent is the ident of the event that ends a wait.
const wakeIdent = 1

func newSource(s Subject) (*source, error) {
	kq, err := unix.Kqueue()
	if err != nil {
		return nil, os.NewSyscallError("kqueue", err)
	}
	unix.CloseOnExec(kq)
	one := &source{kq: kq, dir: -1, file: -1}
	if err := one.begin(s); err != nil {
		one.close()
		return nil, err
	}
	return one, nil
}

// begin watches the subject.
func (s *source) begin(what Subject) error {
	err := s.change(unix.Kevent_t{Ident: wakeIdent, Filter: unix.EVFILT_USER, Flags: unix.EV_ADD | unix.EV_CLEAR})
	if err != nil {
		return err
	}
	s.dir, err = s.watch(what.Dir, unix.O_DIRECTORY, unix.NOTE_WRITE|unix.NOTE_RENAME|unix.NOTE_DELETE|unix.NOTE_REVOKE)
	if err == nil && what.File != "" {
		s.file, err = s.watch(filepath.Join(what.Dir, what.File), unix.O_NONBLOCK, unix.NOTE_WRITE)
	}
	return err
}

// watch opens a file and watches it. O_EVTONLY: the file system can be unmounted meanwhile.
func (s *source) watch(path string, how int, notes uint32) (int, error) {
	fd, err := unix.Open(path, unix.O_EVTONLY|unix.O_CLOEXEC|how, 0)
	if err != nil {
		return -1, os.NewSyscallError("open", err)
	}
	err = s.change(unix.Kevent_t{Ident: uint64(fd), Filter: unix.EVFILT_VNODE, Flags: unix.EV_ADD | unix.EV_CLEAR, Fflags: notes})
	if err != nil {
		unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

func (s *source) change(event unix.Kevent_t) error {
	_, err := unix.Kevent(s.kq, []unix.Kevent_t{event}, nil, nil)
	return os.NewSyscallError("kevent", err)
}

// next blocks until there are events, and returns those that count. stop makes it return an
// error.
func (s *source) next() (change Change, err error) {
	var events [4]unix.Kevent_t
	n, err := unix.Kevent(s.kq, nil, events[:], nil)
	switch {
	case err == unix.EINTR:
		return 0, nil
	case err != nil:
		return 0, os.NewSyscallError("kevent", err)
	case s.stopped.Load():
		return 0, os.ErrClosed
	}
	for _, e := range events[:n] {
		switch {
		case e.Filter != unix.EVFILT_VNODE:
		case int(e.Ident) == s.dir:
			change |= changeOf(e.Fflags)
		default:
			change |= Written
		}
	}
	return change, nil
}

// changeOf returns the change that the notes of a directory are about.
func changeOf(notes uint32) (change Change) {
	if notes&unix.NOTE_WRITE != 0 {
		change |= Entry
	}
	if notes&unix.NOTE_RENAME != 0 {
		change |= Moved
	}
	if notes&(unix.NOTE_DELETE|unix.NOTE_REVOKE) != 0 {
		change |= Removed
	}
	return change
}

func (s *source) stop() {
	s.stopped.Store(true)
	_ = s.change(unix.Kevent_t{Ident: wakeIdent, Filter: unix.EVFILT_USER, Fflags: unix.NOTE_TRIGGER})
}

func (s *source) close() {
	for _, fd := range []int{s.kq, s.dir, s.file} {
		if fd >= 0 {
			_ = unix.Close(fd)
		}
	}
}
