package detach

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// systemLimits are the resources that only macOS limits: none.
var systemLimits []int

// shedAttributes gives this process, from which the second one inherits it, the default
// priority. What the kernel refuses to an unprivileged process stays as it is
// (docs/detached.md).
func shedAttributes() { resetNice() }

const sigSetmask = 3 // sigprocmask(2), SIG_SETMASK

// clearMask unblocks all signals for the calling thread and reports whether any was
// blocked (xnu bsd/kern/kern_sig.c, sigprocmask, which changes the thread's mask).
func clearMask() bool {
	var none, before uint32
	_, _, err := syscall.Syscall(unix.SYS_SIGPROCMASK, sigSetmask, uintptr(unsafe.Pointer(&none)), uintptr(unsafe.Pointer(&before)))
	return err == 0 && before != 0
}
