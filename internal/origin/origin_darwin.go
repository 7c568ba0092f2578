package origin

import (
	"debug/macho"
	"os"
	"slices"
	"syscall"
)

// signals is the number of signals that Go's runtime has a place for
// (runtime/os_darwin.go, _NSIG).
const signals = 32

// A mask is a set of signals, as Go's runtime has it (sigset).
type mask uint32

// ignore does nothing: the signals that os/signal leaves to Go's runtime (SIGSEGV and
// others that report a fault, SIGPROF) stay as they are.
func ignore(syscall.Signal) {}

// find returns the addresses of symbols in the file of this program. They are in the
// segment of variables.
func find(names ...string) (map[string]uint64, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	file, err := macho.Open(program)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	data := file.Segment("__DATA")
	if data == nil || file.Symtab == nil {
		return nil, errUnknown
	}
	found := make(map[string]uint64)
	for _, symbol := range file.Symtab.Syms {
		inside := symbol.Value >= data.Addr && symbol.Value < data.Addr+data.Memsz
		if inside && slices.Contains(names, symbol.Name) {
			found[symbol.Name] = symbol.Value
		}
	}
	if len(found) != len(names) {
		return nil, errUnknown
	}
	return found, nil
}
