package process

import (
	"errors"
	"strconv"

	"golang.org/x/sys/unix"
)

// Arguments returns the words that the program of a process was started with, any user's.
// There are none where the first thread of the process has ended, and while it begins to
// run another program (docs/linux.md L71). The error is [ErrGone] when the process is dead
// or the PID is another's, and [io/fs.ErrPermission] where /proc hides it.
func (r *Reader) Arguments(id Identity) (Arguments, error) {
	area, failed := r.readArguments(id.PID)
	// The process that is there now was there before.
	now, err := r.Lookup(id.PID)
	switch {
	case err != nil:
		return Arguments{}, err
	case now.Identity != id || now.State == Zombie:
		return Arguments{}, ErrGone
	case failed != nil && !errors.Is(failed, ErrGone):
		return Arguments{}, failed
	}
	return parseArguments(area), nil
}

// readArguments reads one byte more than is kept, if there is one. What it returns is
// overwritten by the next call.
func (r *Reader) readArguments(pid int) ([]byte, error) {
	path := append(strconv.AppendInt(r.path[:0], int64(pid), 10), "/cmdline\x00"...)
	fd, err := openRetry(r.proc, path)
	if err != nil {
		return nil, goneOr(err)
	}
	defer unix.Close(fd)
	area := r.names[:longestArguments+1]
	for size := 0; ; {
		n, err := readRetry(fd, area[size:])
		if err != nil {
			return nil, goneOr(err)
		}
		if size += n; n == 0 || size == len(area) {
			return area[:size], nil
		}
	}
}
