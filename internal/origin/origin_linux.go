package origin

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
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

// find returns the addresses of symbols in the file of this program.
func find(names ...string) (map[string]uint64, error) {
	file, err := elf.Open("/proc/self/exe")
	if err != nil {
		return nil, err
	}
	defer file.Close()
	table, text := file.Section(".symtab"), file.Section(".strtab")
	if table == nil || text == nil || file.Class != elf.ELFCLASS64 {
		return nil, errUnknown
	}
	symbols, err := table.Data()
	if err != nil {
		return nil, err
	}
	strings, err := text.Data()
	if err != nil {
		return nil, err
	}
	found := make(map[string]uint64)
	for _, name := range names {
		at := bytes.Index(strings, []byte("\x00"+name+"\x00")) + 1
		address, size := symbolAt(symbols, uint32(at), file.ByteOrder)
		if at == 0 || size != sizes[name] {
			return nil, errUnknown
		}
		found[name] = address
	}
	return found, nil
}

// symbolAt returns the address and size of the symbol whose name is at an offset of the
// strings. It looks at the bytes, because debug/elf reads all names, which takes longer
// than the start of the program.
func symbolAt(symbols []byte, name uint32, order binary.ByteOrder) (address, size uint64) {
	for ; len(symbols) >= elf.Sym64Size; symbols = symbols[elf.Sym64Size:] {
		if order.Uint32(symbols) == name {
			return order.Uint64(symbols[8:]), order.Uint64(symbols[16:])
		}
	}
	return 0, 0
}
