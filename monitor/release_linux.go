package monitor

import (
	"encoding/binary"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// A releaseSource is an inotify instance. It reports the last close of an open file,
// which frees a flock(2). The kernel reports the close just before it frees the lock
// (docs/linux.md L21, L22).
type releaseSource struct {
	events *os.File
	fd     int
	buffer [4096]byte
}

func newReleaseSource() (*releaseSource, error) {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return nil, os.NewSyscallError("inotify_init1", err)
	}
	return &releaseSource{events: os.NewFile(uintptr(fd), "inotify"), fd: fd}, nil
}

// add returns the watch descriptor, which is the same for each path to a file.
func (s *releaseSource) add(path string) (int, error) {
	file, err := unix.InotifyAddWatch(s.fd, path, unix.IN_CLOSE)
	if err != nil {
		return 0, &os.PathError{Op: "inotify_add_watch", Path: path, Err: err}
	}
	return file, nil
}

// remove ends a watch. The kernel has done so already where the file is gone.
func (s *releaseSource) remove(file int) {
	_, _ = unix.InotifyRmWatch(s.fd, uint32(file))
}

// next blocks until there are events or stop is called, which is an error.
func (s *releaseSource) next() (files []int, err error) {
	n, err := s.events.Read(s.buffer[:])
	if err != nil {
		return nil, err
	}
	for text := s.buffer[:n]; len(text) >= unix.SizeofInotifyEvent; {
		files = append(files, int(int32(binary.NativeEndian.Uint32(text))))
		length := binary.NativeEndian.Uint32(text[unix.SizeofInotifyEvent-4:])
		text = text[unix.SizeofInotifyEvent+length:]
	}
	return files, nil
}

func (s *releaseSource) stop() { _ = s.events.SetReadDeadline(time.Unix(1, 0)) }

func (s *releaseSource) close() { _ = s.events.Close() }
