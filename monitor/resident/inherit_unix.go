//go:build unix

package resident

import (
	"os"
	"syscall"
)

// inherit returns the file of a descriptor that was passed on. No child inherits it. As it
// does not block, closing it ends a read that waits.
func inherit(fd int, name string) *os.File {
	syscall.CloseOnExec(fd)
	_ = syscall.SetNonblock(fd, true)
	return os.NewFile(uintptr(fd), name)
}
