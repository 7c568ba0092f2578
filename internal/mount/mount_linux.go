package mount

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// canonical returns the path of a directory as the mounts are named.
func canonical(dir string) (string, error) { return filepath.EvalSymlinks(dir) }

const mountInfo = "/proc/self/mountinfo"

// points returns where file systems are mounted (proc_pid_mountinfo(5)).
func points() (all []string, err error) {
	text, err := os.ReadFile(mountInfo)
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(string(text)) {
		if fields := strings.Fields(line); len(fields) > 4 {
			all = append(all, unescape(fields[4]))
		}
	}
	return all, nil
}

// unescape gives back the bytes that mountinfo writes as \ooo: blanks, line ends and
// the backslash.
func unescape(text string) string {
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
