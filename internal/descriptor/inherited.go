//go:build darwin || linux

package descriptor

import (
	"errors"

	"golang.org/x/sys/unix"
)

// CloseOnExec makes exec close all descriptors from 3 up. It is an error if that cannot
// be done for all of them.
func CloseOnExec() error {
	if closeAllOnExec() == nil {
		return nil
	}
	inherited, err := Inherited()
	if err != nil {
		return err
	}
	for _, fd := range inherited {
		unix.CloseOnExec(fd)
	}
	return nil
}

// CloseInherited closes the descriptors that [Inherited] returns. It is an error if they
// cannot be listed.
func CloseInherited() error {
	inherited, err := Inherited()
	for _, fd := range inherited {
		err = errors.Join(err, unix.Close(fd))
	}
	return err
}
