//go:build unix

package monitor

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"

	"github.com/gemini-monitor/gemini/internal/descriptor"
)

// tryLock takes a lock on an open file, exclusive or shared, without waiting. It
// reports whether it has the lock.
//
// The lock is flock(2). It belongs to the open file: a process that inherits the
// descriptor holds it too, and it is free when the last copy of the descriptor is
// closed (docs/xnu.md X31; docs/linux.md L21).
func tryLock(file *os.File, alone bool) (bool, error) {
	how := unix.LOCK_SH
	if alone {
		how = unix.LOCK_EX
	}
	err := flock(file, how|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		return false, nil
	}
	return err == nil, err
}

// unlockFile releases a lock on an open file.
func unlockFile(file *os.File) error { return flock(file, unix.LOCK_UN) }

func flock(file *os.File, how int) error {
	for {
		err := unix.Flock(int(file.Fd()), how)
		if err != unix.EINTR {
			return os.NewSyscallError("flock", err)
		}
	}
}

// inherited reports whether this process has inherited a descriptor of a file. One that it
// has opened itself, as a monitor does, is none.
func inherited(path string) bool {
	var file unix.Stat_t
	if unix.Stat(path, &file) != nil {
		return false
	}
	descriptors, _ := descriptor.Inherited()
	for _, fd := range descriptors {
		var held unix.Stat_t
		if unix.Fstat(fd, &held) == nil && held.Dev == file.Dev && held.Ino == file.Ino {
			return true
		}
	}
	return false
}
