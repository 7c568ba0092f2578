package monitor

import (
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

// sysGetHostUUID is the number of gethostuuid(2) (xnu bsd/kern/syscalls.master),
// which x/sys does not name.
const sysGetHostUUID = 142

// readMachine returns the UUID of the hardware. The host's name does not identify a
// Mac: it follows the network (docs/xnu.md X45).
func readMachine() (string, error) {
	var id [16]byte
	patience := unix.Timespec{Sec: 1} // early after boot the kernel may not know it yet
	_, _, errno := unix.Syscall(sysGetHostUUID, uintptr(unsafe.Pointer(&id[0])), uintptr(unsafe.Pointer(&patience)), 0)
	if errno != 0 {
		return "", fmt.Errorf("gethostuuid: %w", errno)
	}
	return fmt.Sprintf("%X-%X-%X-%X-%X", id[:4], id[4:6], id[6:8], id[8:10], id[10:]), nil
}
