//go:build darwin || linux

package unixsocket

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// Remove removes the socket at a path, if it is one and belongs to the user of this
// process. Nothing at the path is no error. Anything else stays, and the error names what
// it is; [ErrNotSocket] where it is no socket, [fs.ErrPermission] where it is of another
// user.
//
// Looking and removing are two steps, so only the one process that may change the path
// calls it: the holder of the lock. It does not ask whether a process listens.
func Remove(path string) error {
	stat, _, err := lookAt(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case stat.Mode&unix.S_IFMT != unix.S_IFSOCK:
		return fmt.Errorf("remove %s: it is %s: %w", path, kindOf(&stat), ErrNotSocket)
	case int(stat.Uid) != os.Geteuid():
		return fmt.Errorf("remove %s: it is a socket of user %d: %w", path, stat.Uid, fs.ErrPermission)
	}
	if err := unix.Unlink(path); err != unix.ENOENT {
		return wrapPath("unlink", path, err)
	}
	return nil
}
