package vigil

import (
	"encoding/binary"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// A manySource is an inotify instance with a watch for each path (docs/linux.md L60).
type manySource struct {
	fd     int // of events, which File.Fd would make a blocking one
	events *os.File
	buffer [16384]byte

	mu      sync.Mutex
	watches map[string]int32
	paths   map[int32]string
}

// ofAny are the events that count of a path. The kernel reports the removal of a file that is
// open as IN_ATTRIB: its number of links has changed.
const ofAny = ofEntries | ofItself | unix.IN_MODIFY | unix.IN_ATTRIB

func newManySource() (*manySource, error) {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return nil, os.NewSyscallError("inotify_init1", err)
	}
	return &manySource{
		fd: fd, events: os.NewFile(uintptr(fd), "inotify"), watches: make(map[string]int32), paths: make(map[int32]string),
	}, nil
}

func (s *manySource) add(path string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	watch, err := unix.InotifyAddWatch(s.fd, path, ofAny)
	if err != nil {
		return os.NewSyscallError("inotify_add_watch", err)
	}
	if before, known := s.watches[path]; known && before != int32(watch) {
		s.forget(path)
	}
	s.watches[path], s.paths[int32(watch)] = int32(watch), path
	return nil
}

func (s *manySource) drop(path string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forget(path)
}

// forget ends the watch of a path. The caller holds the lock.
func (s *manySource) forget(path string) {
	watch, known := s.watches[path]
	if !known {
		return
	}
	// It fails where the file is gone, and its watch with it.
	_, _ = unix.InotifyRmWatch(s.fd, uint32(watch))
	delete(s.watches, path)
	delete(s.paths, watch)
}

// next blocks until there are events, and reports them. stop makes it return an error.
func (s *manySource) next(report func(string, Change)) error {
	n, err := s.events.Read(s.buffer[:])
	if err != nil {
		return err
	}
	for text := s.buffer[:n]; len(text) >= unix.SizeofInotifyEvent; {
		watch := int32(binary.NativeEndian.Uint32(text))
		kinds := binary.NativeEndian.Uint32(text[4:])
		text = text[unix.SizeofInotifyEvent+int(binary.NativeEndian.Uint32(text[unix.SizeofInotifyEvent-4:])):]
		if kinds&unix.IN_Q_OVERFLOW != 0 {
			report(All, Entry|Written|Moved|Removed)
			continue
		}
		s.mu.Lock()
		path, known := s.paths[watch]
		s.mu.Unlock()
		if c := anyChange(kinds); known && c != 0 {
			report(path, c)
		}
	}
	return nil
}

// anyChange returns the change that an event of a path is about.
func anyChange(kinds uint32) (change Change) {
	if kinds&ofEntries != 0 {
		change |= Entry
	}
	if kinds&unix.IN_MODIFY != 0 {
		change |= Written
	}
	if kinds&unix.IN_MOVE_SELF != 0 {
		change |= Moved
	}
	if kinds&(ofTheEnd|unix.IN_ATTRIB) != 0 {
		change |= Removed
	}
	return change
}

func (s *manySource) stop() { _ = s.events.SetReadDeadline(time.Unix(1, 0)) }

func (s *manySource) close() { _ = s.events.Close() }
