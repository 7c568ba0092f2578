package process

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// sysctl reads the value of a numeric name into old and returns its size, or
// the size it would have where old is nil. x/sys can only do this into memory
// of its own, made anew by every call, and after looking up a name.
func sysctl(mib []int32, old []byte) (int, error) {
	for {
		size := uintptr(len(old))
		//lint:ignore SA1019 through libSystem there is only the kind that makes garbage
		_, _, errno := unix.Syscall6(unix.SYS_SYSCTL,
			uintptr(unsafe.Pointer(&mib[0])), uintptr(len(mib)),
			uintptr(unsafe.Pointer(unsafe.SliceData(old))), uintptr(unsafe.Pointer(&size)), 0, 0)
		switch errno {
		case 0:
			return int(size), nil
		case unix.EINTR:
		default:
			return 0, errno
		}
	}
}
