//go:build darwin || linux

package unixsocket

import (
	"fmt"
	"io/fs"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// maxName is the length of the longest name that fits into an address, with its zero byte:
// 103 bytes on macOS, 107 on Linux (docs/xnu.md X52, docs/linux.md L55).
const maxName = len(unix.RawSockaddrUnix{}.Path) - 1

// reach calls do with a name for the socket at an absolute path that fits into an address.
// A longer path goes by a descriptor of its directory. do must not keep the name, and runs
// on an OS thread of its own where that is how the system does it.
func reach(path string, do func(name string) error) error {
	dir, name := filepath.Split(path)
	switch {
	case !filepath.IsAbs(path):
		return fmt.Errorf("%w: not an absolute path", fs.ErrInvalid)
	case name == "":
		return fmt.Errorf("%w: names a directory", fs.ErrInvalid)
	case len(path) <= maxName:
		return do(path)
	}
	fd, err := openDir(dir)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	return from(fd, name, do)
}

func openDir(path string) (int, error) {
	for {
		fd, err := unix.Open(path, dirFlags, 0)
		switch err {
		case nil:
			return fd, nil
		case unix.EINTR:
		default:
			return -1, &fs.PathError{Op: "open", Path: path, Err: err}
		}
	}
}

// An inode names one file while it exists. A listening socket keeps the inode that it is
// bound to, so the numbers are not used again before it is closed.
type inode struct{ device, number uint64 }

// lookAt returns what is at a path, without following a link at its end.
func lookAt(path string) (unix.Stat_t, inode, error) {
	var stat unix.Stat_t
	for {
		switch err := unix.Lstat(path, &stat); err {
		case nil:
			return stat, inode{uint64(stat.Dev), uint64(stat.Ino)}, nil
		case unix.EINTR:
		default:
			return stat, inode{}, &fs.PathError{Op: "lstat", Path: path, Err: err}
		}
	}
}

// kindOf names the kind of a file.
func kindOf(stat *unix.Stat_t) string {
	switch stat.Mode & unix.S_IFMT {
	case unix.S_IFSOCK:
		return "a socket"
	case unix.S_IFDIR:
		return "a directory"
	case unix.S_IFLNK:
		return "a symbolic link"
	case unix.S_IFREG:
		return "a regular file"
	case unix.S_IFIFO:
		return "a named pipe"
	}
	return "a device"
}
