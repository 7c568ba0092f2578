package resident

import (
	"bytes"
	"encoding/binary"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// A dirSource is an inotify instance that watches one directory. The watch is on the
// directory and not on its path.
type dirSource struct {
	events *os.File
	buffer [4096]byte
}

// watched are the events of entries: which name leads to which file has changed.
const watched = unix.IN_CREATE | unix.IN_DELETE | unix.IN_MOVED_FROM | unix.IN_MOVED_TO

func watchDir(path string) (*dirSource, error) {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return nil, os.NewSyscallError("inotify_init1", err)
	}
	if _, err := unix.InotifyAddWatch(fd, path, watched|unix.IN_ONLYDIR); err != nil {
		unix.Close(fd)
		return nil, &os.PathError{Op: "inotify_add_watch", Path: path, Err: err}
	}
	return &dirSource{events: os.NewFile(uintptr(fd), "inotify")}, nil
}

// next blocks until there are events, and reports whether one may be about the socket or
// the lock. stop makes it return an error.
func (s *dirSource) next() (concerned bool, err error) {
	n, err := s.events.Read(s.buffer[:])
	if err != nil {
		return false, err
	}
	for text := s.buffer[:n]; len(text) >= unix.SizeofInotifyEvent; {
		kinds := binary.NativeEndian.Uint32(text[4:])
		end := unix.SizeofInotifyEvent + int(binary.NativeEndian.Uint32(text[unix.SizeofInotifyEvent-4:]))
		name := string(bytes.TrimRight(text[unix.SizeofInotifyEvent:end], "\x00"))
		// An event without a name is about all: some were lost, or the directory has gone.
		if kinds&watched == 0 || name == socketFile || name == lockFile {
			concerned = true
		}
		text = text[end:]
	}
	return concerned, nil
}

func (s *dirSource) stop() { _ = s.events.SetReadDeadline(time.Unix(1, 0)) }

func (s *dirSource) close() { _ = s.events.Close() }
