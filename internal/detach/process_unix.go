//go:build unix

package detach

import (
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/gemini-monitor/gemini/internal/descriptor"
)

// closeOnExec keeps a descriptor from being inherited.
func closeOnExec(fd int) { unix.CloseOnExec(fd) }

// closeInheritedOnExec keeps the second process from inheriting the descriptors
// that the user had open. A pipe among them would keep its reader waiting, and
// the lease of a runtime around this one would keep that runtime. It is an error
// when the descriptors cannot be listed.
func closeInheritedOnExec() error {
	inherited, err := descriptor.Inherited()
	for _, fd := range inherited {
		closeOnExec(fd)
	}
	return err
}

// ownSession starts a child as the leader of a session without a terminal.
func ownSession() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setsid: true} }
