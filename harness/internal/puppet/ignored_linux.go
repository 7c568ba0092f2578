package puppet

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/signal"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// near is in the same mapping as the variables of Go's runtime.
var near [1]uintptr

// signals is the number of signals that Go's runtime has a place for
// (runtime/os_linux_generic.go, _NSIG).
const signals = 65

// spare is a signal that no program sends to a puppet: the last real-time signal.
const spare = syscall.Signal(signals - 1)

var errActions = errors.New("the actions at the start of this program are not found")

// ignoredAtStart returns the signals that were ignored when this process was started. Go's
// runtime installs its handlers before any code of ours runs, and keeps what it found in a
// variable that it does not export (runtime/signal_unix.go, fwdSig). A test binary has no
// symbol table either. But Notify makes the runtime write the action of a signal there
// (sigenable): the place is found by an action that no program has.
func ignoredAtStart() ([]os.Signal, error) {
	memory, start, err := variables()
	if err != nil {
		return nil, err
	}
	token := rand.Uint64() | 1<<63
	signal.Ignore(spare) // then the runtime does not handle it, and Notify looks at its action
	action := [4]uint64{token}
	_, _, errno := unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(spare), uintptr(unsafe.Pointer(&action)), 0, 8, 0, 0)
	if errno != 0 {
		return nil, errno
	}
	signal.Notify(make(chan os.Signal, 1), spare)
	signal.Ignore(spare)
	if err := read(memory, start); err != nil {
		return nil, err
	}
	at := bytes.Index(memory, binary.NativeEndian.AppendUint64(nil, token)) - int(spare)*8
	if at < 0 {
		return nil, errActions
	}
	var ignored []os.Signal
	for number := range int(spare) {
		switch one := syscall.Signal(number); binary.NativeEndian.Uint64(memory[at+number*8:]) {
		case 0: // SIG_DFL
		case 1: // SIG_IGN
			ignored = append(ignored, one)
		default: // exec leaves no handler, so this is another variable
			return nil, errActions
		}
	}
	return ignored, nil
}

// variables returns room for the mapping with the variables of this program, and its
// address.
func variables() (memory []byte, start uint64, err error) {
	maps, err := os.Open("/proc/self/maps")
	if err != nil {
		return nil, 0, err
	}
	defer maps.Close()
	at := uint64(uintptr(unsafe.Pointer(&near)))
	for lines := bufio.NewScanner(maps); lines.Scan(); {
		var from, to uint64
		if _, err := fmt.Sscanf(lines.Text(), "%x-%x ", &from, &to); err == nil && from <= at && at < to {
			return make([]byte, to-from), from, nil
		}
	}
	return nil, 0, errActions
}

// read copies the memory of this process from an address on.
func read(into []byte, start uint64) error {
	memory, err := os.Open("/proc/self/mem")
	if err != nil {
		return err
	}
	defer memory.Close()
	_, err = memory.ReadAt(into, int64(start))
	return err
}
