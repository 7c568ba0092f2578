package sigmask

import (
	"os"
	"syscall"
	"unsafe"
)

// How a mask is changed (signal.h). To block none more is to keep it.
const (
	keep    = 1 // SIG_BLOCK
	replace = 3 // SIG_SETMASK
)

func change(how uintptr, m Mask) (Mask, error) {
	next, before := uint32(m), uint32(0) // sigset_t
	number, _, _ := rawSyscall(sigmaskAddress, how, uintptr(unsafe.Pointer(&next)), uintptr(unsafe.Pointer(&before)))
	if number != 0 { // pthread_sigmask(3) returns the error
		return 0, os.NewSyscallError("pthread_sigmask", syscall.Errno(number))
	}
	return Mask(before), nil
}

// golang.org/x/sys/unix calls functions of libSystem in the same way. It has no
// pthread_sigmask for macOS.
//
//go:cgo_import_dynamic libc_pthread_sigmask pthread_sigmask "/usr/lib/libSystem.B.dylib"

//go:linkname rawSyscall syscall.rawSyscall
func rawSyscall(function, a1, a2, a3 uintptr) (r1, r2 uintptr, err syscall.Errno)

var sigmaskAddress uintptr // of the trampoline, set in sigmask_darwin.s
