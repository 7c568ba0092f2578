package mount

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// canonical returns the path of a directory as the mounts are named.
func canonical(dir string) (string, error) { return filepath.EvalSymlinks(dir) }

const mountInfo = "/proc/self/mountinfo"

// buffers are for mountinfo, which the kernel makes anew for each read(2): one read of all
// costs a third of several.
var buffers = sync.Pool{New: func() any { return new([32 << 10]byte) }}

// points returns where file systems are mounted (proc_pid_mountinfo(5)). The file is no
// os.File: Go's poller would report it as readable at once, and wake a thread for that.
func points() (all []string, err error) {
	fd, err := unix.Open(mountInfo, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: mountInfo, Err: err}
	}
	defer unix.Close(fd)
	buffer := buffers.Get().(*[32 << 10]byte)
	defer buffers.Put(buffer)
	text := buffer[:0]
	for {
		n, err := unix.Read(fd, text[len(text):cap(text)])
		switch {
		case err == unix.EINTR:
			continue
		case err != nil:
			return nil, &os.PathError{Op: "read", Path: mountInfo, Err: err}
		case n == 0:
			return pointsIn(text), nil
		}
		if text = text[:len(text)+n]; len(text) == cap(text) {
			text = slices.Grow(text, cap(text))
		}
	}
}

// pointsIn returns the mount points of a text of mountinfo: the fifth field of each line.
func pointsIn(text []byte) (all []string) {
	for line := range bytes.Lines(text) {
		for range 4 {
			_, line, _ = bytes.Cut(line, []byte{' '})
		}
		if point, _, whole := bytes.Cut(line, []byte{' '}); whole {
			all = append(all, unescape(string(point)))
		}
	}
	return all
}

// unescape gives back the bytes that mountinfo writes as \ooo: blanks, line ends and
// the backslash.
func unescape(text string) string {
	if !strings.Contains(text, "\\") {
		return text
	}
	var out strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] == '\\' && i+3 < len(text) {
			if n, err := strconv.ParseUint(text[i+1:i+4], 8, 8); err == nil {
				out.WriteByte(byte(n))
				i += 3
				continue
			}
		}
		out.WriteByte(text[i])
	}
	return out.String()
}

// A source is an open mountinfo: poll(2) reports POLLPRI once after each change, to one
// of those that poll it (docs/linux.md L37). So it is no os.File: Go's poller would take
// the report.
type source struct {
	fd        int
	end, wake *os.File // a pipe: closing wake ends a wait
}

func newSource() (*source, error) {
	fd, err := unix.Open(mountInfo, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: mountInfo, Err: err}
	}
	end, wake, err := os.Pipe()
	if err != nil {
		unix.Close(fd)
		return nil, err
	}
	return &source{fd, end, wake}, nil
}

// next blocks until there is a change or stop is called, which is an error.
func (s *source) next() error {
	wait := []unix.PollFd{{Fd: int32(s.fd), Events: unix.POLLPRI}, {Fd: int32(s.end.Fd()), Events: unix.POLLIN}}
	for {
		_, err := unix.Poll(wait, -1)
		switch {
		case err == unix.EINTR:
		case err != nil:
			return os.NewSyscallError("poll", err)
		case wait[1].Revents != 0:
			return os.ErrClosed
		case wait[0].Revents != 0:
			return nil
		}
	}
}

func (s *source) stop() { _ = s.wake.Close() }

func (s *source) close() {
	_ = unix.Close(s.fd)
	_ = s.end.Close()
}
