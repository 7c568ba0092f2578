package kernel

import (
	"os"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/gemini-monitor/gemini/tracker/process"
)

// The numbers of proc_info(2) (sys/proc_info.h).
const (
	callPIDInfo      = 2
	flavorUniqueID   = 17 // PROC_PIDUNIQIDENTIFIERINFO
	alsoZombies      = 1
	uniqueIDInfoSize = 56
)

// A uniqueIDInfo is struct proc_uniqidentifierinfo.
type uniqueIDInfo struct {
	_      [16]byte // uuid of the program
	self   uint64   // p_uniqueid
	parent uint64   // p_puniqueid
	_      [uniqueIDInfoSize - 32]byte
}

// hasLineage reports whether the kernel answers. Only the kernel's source documents the
// call (docs/xnu.md X27), so it is tried. Without it all else works the same.
func hasLineage() bool {
	l, ok := askLineage(os.Getpid())
	return ok && l.Self != 0
}

// askLineage returns the lineage of a process of any user, zombies included.
func askLineage(pid int) (process.Lineage, bool) {
	var info uniqueIDInfo
	//lint:ignore SA1019 libSystem has no function for it that Go can call
	size, _, errno := unix.Syscall6(unix.SYS_PROC_INFO, callPIDInfo, uintptr(pid),
		flavorUniqueID, alsoZombies, uintptr(unsafe.Pointer(&info)), uniqueIDInfoSize)
	return process.Lineage{Self: info.self, Parent: info.parent}, errno == 0 && size == uniqueIDInfoSize
}
