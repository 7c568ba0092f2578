package vigil

import (
	"bytes"
	"encoding/binary"
	"os"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

// A source is an inotify instance that watches one directory (docs/linux.md L60).
type source struct {
	subject Subject
	events  *os.File
	buffer  [4096]byte
}

const (
	// ofEntries are the events about which file a name leads to.
	ofEntries = unix.IN_CREATE | unix.IN_DELETE | unix.IN_MOVED_FROM | unix.IN_MOVED_TO
	// ofItself are the events of the directory.
	ofItself = unix.IN_MOVE_SELF | unix.IN_DELETE_SELF
	// ofTheEnd are the events after which the kernel reports nothing more.
	ofTheEnd = unix.IN_DELETE_SELF | unix.IN_UNMOUNT | unix.IN_IGNORED
)

func newSource(s Subject) (*source, error) {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return nil, os.NewSyscallError("inotify_init1", err)
	}
	mask := uint32(ofEntries | ofItself | unix.IN_ONLYDIR)
	if s.File != "" {
		mask |= unix.IN_MODIFY
	}
	if _, err := unix.InotifyAddWatch(fd, s.Dir, mask); err != nil {
		unix.Close(fd)
		return nil, os.NewSyscallError("inotify_add_watch", err)
	}
	return &source{subject: s, events: os.NewFile(uintptr(fd), "inotify")}, nil
}

// next blocks until there are events, and returns those that count. stop makes it return an
// error.
func (s *source) next() (change Change, err error) {
	n, err := s.events.Read(s.buffer[:])
	if err != nil {
		return 0, err
	}
	for text := s.buffer[:n]; len(text) >= unix.SizeofInotifyEvent; {
		kinds := binary.NativeEndian.Uint32(text[4:])
		end := unix.SizeofInotifyEvent + int(binary.NativeEndian.Uint32(text[unix.SizeofInotifyEvent-4:]))
		name := string(bytes.TrimRight(text[unix.SizeofInotifyEvent:end], "\x00"))
		change |= s.subject.changeOf(kinds, name)
		text = text[end:]
	}
	return change, nil
}

// changeOf returns the change that an event is about, 0 where that does not count.
func (s *Subject) changeOf(kinds uint32, name string) (change Change) {
	if kinds&unix.IN_Q_OVERFLOW != 0 {
		return Entry | Written | Moved // events were lost
	}
	if kinds&ofEntries != 0 && slices.Contains(s.Entries, name) {
		change |= Entry
	}
	if kinds&unix.IN_MODIFY != 0 && name == s.File {
		change |= Written
	}
	if kinds&unix.IN_MOVE_SELF != 0 {
		change |= Moved
	}
	if kinds&ofTheEnd != 0 {
		change |= Removed
	}
	return change
}

func (s *source) stop() { _ = s.events.SetReadDeadline(time.Unix(1, 0)) }

func (s *source) close() { _ = s.events.Close() }
