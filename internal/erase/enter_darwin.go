package erase

import (
	"os"

	"golang.org/x/sys/unix"
)

// enter opens a directory below an open one for reading, and lets its owner in where
// that is needed. The error is [ErrMounted] where it is a mount point: XNU gives each
// mount a device number of its own (bsd/vfs/vfs_subr.c, vfs_getnewfsid).
func enter(parent int, name string) (*os.File, error) {
	var above, here, opened unix.Stat_t
	if err := unix.Fstat(parent, &above); err != nil {
		return nil, err
	}
	if err := unix.Fstatat(parent, name, &here, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return nil, err
	}
	if here.Dev != above.Dev {
		return nil, ErrMounted
	}
	if here.Mode&0o700 != 0o700 {
		if err := unix.Fchmodat(parent, name, 0o700, unix.AT_SYMLINK_NOFOLLOW); err != nil {
			return nil, err
		}
	}
	fd := -1
	err := retry(func() (err error) {
		fd, err = unix.Openat(parent, name, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
		return err
	})
	if err != nil {
		return nil, err
	}
	// A file system may have been mounted between the look and the open.
	if err := unix.Fstat(fd, &opened); err != nil || opened.Dev != above.Dev {
		unix.Close(fd)
		if err == nil {
			err = ErrMounted
		}
		return nil, err
	}
	return os.NewFile(uintptr(fd), name), nil
}
