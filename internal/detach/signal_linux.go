package detach

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	ignored  = 1 // SIG_IGN
	maskSize = 8 // of the kernel's sigset_t, in bytes, on all architectures but MIPS
)

// mayBeIgnored reports whether this process ignores a signal. It returns true where that is not
// known. [signal.Ignored] knows it of SIGHUP and SIGINT alone.
func mayBeIgnored(one syscall.Signal) bool {
	var action [8]uintptr // the kernel's struct sigaction, which begins with the action, has at most 5
	_, _, errno := unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(one), 0, uintptr(unsafe.Pointer(&action)), maskSize, 0, 0)
	return errno != 0 || action[0] == ignored
}
