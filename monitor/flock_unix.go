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

// A fileSet has files by what the kernel knows them by.
type fileSet map[fileID]bool

type fileID struct{ device, inode uint64 }

// inheritedFiles returns the files of which this process has inherited a descriptor. Those
// that it has opened itself, as a monitor does, are left out.
func inheritedFiles() fileSet {
	files := make(fileSet)
	descriptors, _ := descriptor.Inherited()
	for _, fd := range descriptors {
		var held unix.Stat_t
		if unix.Fstat(fd, &held) == nil {
			files[fileID{uint64(held.Dev), held.Ino}] = true
		}
	}
	return files
}

func (s fileSet) have(path string) bool {
	var file unix.Stat_t
	return len(s) > 0 && unix.Stat(path, &file) == nil && s[fileID{uint64(file.Dev), file.Ino}]
}
