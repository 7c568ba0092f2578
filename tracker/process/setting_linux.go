package process

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"strconv"

	"golang.org/x/sys/unix"
)

// Settings returns the values that a variable has in the environment of a process. They
// are those that the program has found when it began, unless it has changed that area
// since. The error is [ErrGone] when the process is dead or the PID is another's,
// [fs.ErrPermission] when the environment may not be read, and [ErrBetween].
//
// Another user's process does not show its environment, and neither does one that must not
// be dumped (docs/linux.md L61).
func (r *Reader) Settings(id Identity, variable string) ([]string, error) {
	before, err := r.environmentOf(id)
	if err != nil {
		return nil, err
	}
	scan, failed := r.scanEnvironment(id.PID, variable)
	after, err := r.environmentOf(id)
	switch {
	case err != nil:
		return nil, err
	case errors.Is(failed, ErrGone):
		return nil, ErrBetween // it is there
	case failed != nil:
		return nil, failed
	case before != after || after.end == 0 || int64(scan.seen) < after.end-after.start && scan.seen < longestEnvironment:
		return nil, ErrBetween
	}
	return scan.values, nil
}

// An area is where a process has its environment. That is nowhere while it begins to run
// another program, and elsewhere afterwards (docs/linux.md L61).
type area struct{ start, end int64 }

// environmentOf returns the area of a process, which has one. The addresses are zero where
// the environment may not be read.
func (r *Reader) environmentOf(id Identity) (area, error) {
	now, err := r.Lookup(id.PID)
	switch {
	case err != nil:
		return area{}, err
	case now.Identity != id || now.State == Zombie:
		return area{}, ErrGone
	case now.Headless:
		return area{}, errHeadless
	}
	return parseArea(r.record[:r.length]), nil
}

// errHeadless reports a process whose first thread has ended: its files show no memory
// (docs/linux.md L61).
var errHeadless = fmt.Errorf("its first thread has ended: %w", fs.ErrPermission)

func (r *Reader) scanEnvironment(pid int, variable string) (*settingScan, error) {
	path := append(strconv.AppendInt(r.path[:0], int64(pid), 10), "/environ\x00"...)
	fd, err := openRetry(r.proc, path)
	if err != nil {
		return nil, goneOr(err)
	}
	defer unix.Close(fd)
	scan := newSettingScan(variable)
	for {
		n, err := readRetry(fd, r.names[:])
		if err != nil {
			return nil, goneOr(err)
		}
		if n == 0 || !scan.take(r.names[:n]) {
			scan.end() // a program may have overwritten the last zero byte
			return scan, nil
		}
	}
}

// goneOr returns an error of a file of a process, or ErrGone where it says that the
// process has gone.
func goneOr(err error) error {
	if err == unix.ENOENT || err == unix.ESRCH {
		return ErrGone
	}
	return err
}

// parseArea reads the fields env_start and env_end of a line of /proc/PID/stat, the 50th
// and the 51st by proc(5).
func parseArea(line []byte) area {
	const firstAfterName, start, end = 3, 50, 51
	fields := bytes.Fields(line[bytes.LastIndexByte(line, ')')+1:])
	if len(fields) <= end-firstAfterName {
		return area{}
	}
	return area{number(fields[start-firstAfterName]), number(fields[end-firstAfterName])}
}
