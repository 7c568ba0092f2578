package sigmask

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// How a mask is changed. To block none more is to keep it.
const (
	keep    = unix.SIG_BLOCK
	replace = unix.SIG_SETMASK
)

func change(how int, m Mask) (before Mask, err error) {
	var next, now unix.Sigset_t // longer than a Mask; the kernel reads 8 bytes
	*(*Mask)(unsafe.Pointer(&next)) = m
	err = unix.PthreadSigmask(how, &next, &now)
	return *(*Mask)(unsafe.Pointer(&now)), err
}
