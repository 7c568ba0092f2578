package detach

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// maskSize is the size of the kernel's sigset_t, in bytes, on all architectures but MIPS.
const maskSize = 8

// resetSignal gives a signal its default action. os/signal does not: [signal.Reset] leaves a
// signal ignored that was so when the program was started. The kernel's struct sigaction has no
// more than these words, and is zero for the default (rt_sigaction(2)).
func resetSignal(one syscall.Signal) error {
	var action [4]uintptr
	_, _, errno := unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(one), uintptr(unsafe.Pointer(&action)), 0, maskSize, 0, 0)
	if errno != 0 {
		return errno
	}
	return nil
}
