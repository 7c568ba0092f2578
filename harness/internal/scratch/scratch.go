//go:build darwin || linux

// Package scratch makes the temporary directory of a test process, and removes those of
// test processes that have ended without doing so.
//
// Such a directory is called harness-NUMBER and has a file "lock", which its process holds
// locked as long as it lives. The lock is flock(2): the kernel releases it when the process
// ends, however it ends (docs/linux.md L21, docs/xnu.md X31). So a directory whose lock is
// free belongs to no process.
package scratch

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

const (
	prefix   = "harness-"
	lockName = "lock"
)

// A Dir is the temporary directory of this process.
type Dir struct {
	path string
	lock *os.File
}

// New makes a directory below that of the system for temporary files. Other users can
// search it, as they run programs in it.
func New() (*Dir, error) {
	// The directory gets its name when it has its lock: without one it would be unowned.
	early, err := os.MkdirTemp("", "."+prefix)
	if err != nil {
		return nil, err
	}
	d, err := owned(early)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(early))
	}
	return d, nil
}

// owned locks a new directory and gives it its name.
func owned(early string) (*Dir, error) {
	if err := os.Chmod(early, 0o755); err != nil {
		return nil, err
	}
	lock, err := os.OpenFile(filepath.Join(early, lockName), os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	path := filepath.Join(filepath.Dir(early), filepath.Base(early)[1:])
	if err := errors.Join(tryLock(lock), os.Rename(early, path)); err != nil {
		lock.Close()
		return nil, err
	}
	return &Dir{path, lock}, nil
}

// tryLock locks a file without waiting.
func tryLock(file *os.File) error {
	if err := unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return fmt.Errorf("lock %s: %w", file.Name(), err)
	}
	return nil
}

// Path returns the path of the directory.
func (d *Dir) Path() string { return d.path }

// Remove removes the directory.
func (d *Dir) Remove() error {
	defer d.lock.Close()
	return removeLocked(d.path)
}

// Sweep removes the directories of this user whose processes have ended. What it cannot
// remove stays for the next time.
func Sweep() {
	entries, err := os.ReadDir(os.TempDir())
	if err != nil {
		return
	}
	for _, entry := range entries {
		name := entry.Name()
		if len(name) <= len(prefix) || name[:len(prefix)] != prefix || !entry.IsDir() {
			continue
		}
		if _, err := strconv.ParseUint(name[len(prefix):], 10, 64); err == nil {
			_ = RemoveDead(filepath.Join(os.TempDir(), name))
		}
	}
}

var errNotOwn = errors.New("it is not a directory of this user")

// RemoveDead removes the directory of a process of this user that has ended. The error
// tells why the directory stays, which is usual: its process lives.
func RemoveDead(path string) error { return remove(path, unix.LOCK_NB) }

// RemoveEnding is RemoveDead for a process that is ending. It waits for the end.
func RemoveEnding(path string) error { return remove(path, 0) }

func remove(path string, how int) error {
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	if stat, ok := info.Sys().(*syscall.Stat_t); !info.IsDir() || !ok || int(stat.Uid) != os.Geteuid() {
		return fmt.Errorf("%s: %w", path, errNotOwn)
	}
	lock, err := os.OpenFile(filepath.Join(path, lockName), os.O_RDWR|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		return err
	}
	defer lock.Close()
	for err = unix.EINTR; err == unix.EINTR; {
		err = unix.Flock(int(lock.Fd()), unix.LOCK_EX|how)
	}
	if err != nil {
		return fmt.Errorf("lock %s: %w", lock.Name(), err)
	}
	return removeLocked(path)
}

// removeLocked removes a directory. The lock goes last: if something stays, so does the
// lock, and a later Sweep tries again.
func removeLocked(path string) error {
	entries, err := os.ReadDir(path)
	if err != nil {
		return err
	}
	var failed []error
	for _, entry := range entries {
		if entry.Name() != lockName {
			failed = append(failed, RemoveAll(filepath.Join(path, entry.Name())))
		}
	}
	if err := errors.Join(failed...); err != nil {
		return err
	}
	return os.RemoveAll(path)
}

// RemoveAll removes a directory. Directories in it may be read-only.
func RemoveAll(dir string) error {
	filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if err == nil && entry.IsDir() {
			os.Chmod(path, 0o700)
		}
		return nil // RemoveAll reports what cannot be opened
	})
	return os.RemoveAll(dir)
}
