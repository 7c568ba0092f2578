package monitor

import (
	"os"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// A releaseSource is a kqueue. XNU posts NOTE_FUNLOCK on a file after a lock on it
// was released (docs/xnu.md X32).
type releaseSource struct {
	kq      int
	files   map[int]*os.File
	stopped atomic.Bool
}

// wakeIdent is the ident of the event that ends a wait.
const wakeIdent = 1

func newReleaseSource() (*releaseSource, error) {
	kq, err := unix.Kqueue()
	if err != nil {
		return nil, os.NewSyscallError("kqueue", err)
	}
	unix.CloseOnExec(kq)
	s := &releaseSource{kq: kq, files: make(map[int]*os.File)}
	err = s.change(unix.Kevent_t{Ident: wakeIdent, Filter: unix.EVFILT_USER, Flags: unix.EV_ADD | unix.EV_CLEAR})
	if err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

func (s *releaseSource) change(event unix.Kevent_t) error {
	_, err := unix.Kevent(s.kq, []unix.Kevent_t{event}, nil, nil)
	return os.NewSyscallError("kevent", err)
}

// add returns the descriptor by which the file is watched. It wakes next, whose
// next wait has the file from its beginning.
func (s *releaseSource) add(path string) (int, error) {
	file, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	fd := int(file.Fd())
	err = s.change(unix.Kevent_t{Ident: uint64(fd), Filter: unix.EVFILT_VNODE, Flags: unix.EV_ADD | unix.EV_CLEAR, Fflags: unix.NOTE_FUNLOCK})
	if err != nil {
		file.Close()
		return 0, err
	}
	s.files[fd] = file
	s.wake()
	return fd, nil
}

// remove ends a watch: the kernel drops it with the descriptor.
func (s *releaseSource) remove(file int) {
	s.files[file].Close()
	delete(s.files, file)
}

// next blocks until there are events, add or stop is called. After stop it
// returns an error.
func (s *releaseSource) next() (files []int, err error) {
	var events [16]unix.Kevent_t
	n, err := unix.Kevent(s.kq, nil, events[:], nil)
	if err == unix.EINTR {
		return nil, nil
	}
	if err != nil {
		return nil, os.NewSyscallError("kevent", err)
	}
	if s.stopped.Load() {
		return nil, os.ErrClosed
	}
	for _, e := range events[:n] {
		if e.Filter == unix.EVFILT_VNODE {
			files = append(files, int(e.Ident))
		}
	}
	return files, nil
}

func (s *releaseSource) stop() {
	s.stopped.Store(true)
	s.wake()
}

func (s *releaseSource) wake() {
	_ = s.change(unix.Kevent_t{Ident: wakeIdent, Filter: unix.EVFILT_USER, Fflags: unix.NOTE_TRIGGER})
}

func (s *releaseSource) close() {
	for fd := range s.files {
		s.remove(fd)
	}
	_ = unix.Close(s.kq)
}
