package origin

import (
	"os"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// signals is the number of signals that Go's runtime has a place for
// (runtime/os_linux_generic.go, _NSIG).
const signals = 65

// A mask is a set of signals, as Go's runtime has it (sigset).
type mask uint64

// The sizes of the variables of Go's runtime, for which another layout is not read.
var sizes = map[string]uint64{
	actionsSymbol: uint64(unsafe.Sizeof([signals]uintptr{})),
	maskSymbol:    uint64(unsafe.Sizeof(mask(0))),
	anchorSymbol:  uint64(unsafe.Sizeof(anchor)),
}

// ignore ignores a signal. The kernel's struct sigaction begins with the action, on the
// architectures whose variables are read.
func ignore(one syscall.Signal) {
	action := [4]uintptr{ignored}
	_, _, _ = unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(one), uintptr(unsafe.Pointer(&action)), 0, unsafe.Sizeof(mask(0)), 0, 0)
}

// find returns the addresses of symbols in the file of this program. The file is mapped: to
// read both tables would take as long as the start of the program.
func find(names ...string) (map[string]uint64, error) {
	file, err := os.Open("/proc/self/exe")
	if err != nil {
		return nil, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	image, err := unix.Mmap(int(file.Fd()), 0, int(info.Size()), unix.PROT_READ, unix.MAP_PRIVATE)
	if err != nil {
		return nil, err
	}
	defer func() { _ = unix.Munmap(image) }()
	return findIn(image, names)
}
