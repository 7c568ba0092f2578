package vigil

import (
	"os"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// A manySource is a kqueue that watches an open file for each path (docs/xnu.md X56).
type manySource struct {
	kq      int
	stopped atomic.Bool

	mu    sync.Mutex
	files map[string]int
	paths map[int]string
}

// ofAny are the notes that count of a path.
const ofAny = unix.NOTE_WRITE | unix.NOTE_RENAME | unix.NOTE_DELETE | unix.NOTE_REVOKE

func newManySource() (*manySource, error) {
	kq, err := unix.Kqueue()
	if err != nil {
		return nil, os.NewSyscallError("kqueue", err)
	}
	unix.CloseOnExec(kq)
	s := &manySource{kq: kq, files: make(map[string]int), paths: make(map[int]string)}
	err = s.change(unix.Kevent_t{Ident: wakeIdent, Filter: unix.EVFILT_USER, Flags: unix.EV_ADD | unix.EV_CLEAR})
	if err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

// add opens a path and watches the file. O_EVTONLY: the file system can be unmounted
// meanwhile.
func (s *manySource) add(path string) error {
	fd, err := unix.Open(path, unix.O_EVTONLY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return os.NewSyscallError("open", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forget(path)
	s.files[path], s.paths[fd] = fd, path
	err = s.change(unix.Kevent_t{Ident: uint64(fd), Filter: unix.EVFILT_VNODE, Flags: unix.EV_ADD | unix.EV_CLEAR, Fflags: ofAny})
	if err != nil {
		s.forget(path)
	}
	return err
}

func (s *manySource) drop(path string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forget(path)
}

// forget ends the watch of a path: the kernel drops it when the file is closed. The caller
// holds the lock.
func (s *manySource) forget(path string) {
	fd, known := s.files[path]
	if !known {
		return
	}
	unix.Close(fd)
	delete(s.files, path)
	delete(s.paths, fd)
}

func (s *manySource) change(event unix.Kevent_t) error {
	_, err := unix.Kevent(s.kq, []unix.Kevent_t{event}, nil, nil)
	return os.NewSyscallError("kevent", err)
}

// next blocks until there are events, and reports them. stop makes it return an error.
func (s *manySource) next(report func(string, Change)) error {
	var events [64]unix.Kevent_t
	n, err := unix.Kevent(s.kq, nil, events[:], nil)
	switch {
	case err == unix.EINTR:
		return nil
	case err != nil:
		return os.NewSyscallError("kevent", err)
	case s.stopped.Load():
		return os.ErrClosed
	}
	for _, e := range events[:n] {
		if e.Filter != unix.EVFILT_VNODE {
			continue
		}
		s.mu.Lock()
		path, known := s.paths[int(e.Ident)]
		s.mu.Unlock()
		if known {
			report(path, anyChange(e.Fflags))
		}
	}
	return nil
}

// anyChange returns the change that notes are about. The kernel has one note for a change of
// the entries of a directory and for a write to a file.
func anyChange(notes uint32) Change {
	change := changeOf(notes)
	if change&Entry != 0 {
		change |= Written
	}
	return change
}

func (s *manySource) stop() {
	s.stopped.Store(true)
	_ = s.change(unix.Kevent_t{Ident: wakeIdent, Filter: unix.EVFILT_USER, Fflags: unix.NOTE_TRIGGER})
}

func (s *manySource) close() {
	for _, fd := range s.files {
		_ = unix.Close(fd)
	}
	_ = unix.Close(s.kq)
}
