//go:build darwin || linux

package origin

import (
	"errors"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"unsafe"

	"github.com/gemini-monitor/gemini/internal/sigmask"
)

// Signals are the signals that were ignored and blocked when the program was started.
type Signals struct {
	ignored []syscall.Signal
	blocked sigmask.Mask
}

// errUnknown reports that the signals are not known.
var errUnknown = errors.New("the signals at the start of this program are not known")

// The variables of Go's runtime, and the name of anchor.
const (
	actionsSymbol = "runtime.fwdSig"
	maskSymbol    = "runtime.initSigmask"
	anchorSymbol  = "github.com/gemini-monitor/gemini/internal/origin.anchor"
)

// anchor is a variable whose address is known both in the symbol table and in memory.
var anchor = [1]uintptr{1}

// AtStart returns the signals that this program was started with. The first call comes
// before os/signal is used. The error says that they are not known.
func AtStart() (*Signals, error) { return atStart() }

var atStart = sync.OnceValues(read)

func read() (*Signals, error) {
	symbols, err := find(actionsSymbol, maskSymbol, anchorSymbol)
	if err != nil {
		return nil, err
	}
	at := func(symbol string) unsafe.Pointer {
		return unsafe.Add(unsafe.Pointer(&anchor), int(symbols[symbol]-symbols[anchorSymbol]))
	}
	actions := *(*[signals]uintptr)(at(actionsSymbol))
	found := sigmask.Mask(*(*mask)(at(maskSymbol)))
	if !believable(actions, found) {
		return nil, errUnknown
	}
	s := &Signals{blocked: found}
	for number, action := range actions {
		if action == ignored {
			s.ignored = append(s.ignored, syscall.Signal(number))
		}
	}
	return s, nil
}

// An action of a signal that exec keeps (sigaction(2)).
const (
	byDefault = 0 // SIG_DFL
	ignored   = 1 // SIG_IGN
)

// believable reports whether what was read can be the actions and the mask of a program
// that was just started: exec leaves no handler, os/signal knows about SIGHUP and SIGINT,
// and Go blocks no signal that was not blocked.
func believable(actions [signals]uintptr, found sigmask.Mask) bool {
	for _, action := range actions {
		if action != byDefault && action != ignored {
			return false
		}
	}
	for _, s := range []syscall.Signal{syscall.SIGHUP, syscall.SIGINT} {
		if (actions[s] == ignored) != signal.Ignored(s) {
			return false
		}
	}
	now, err := sigmask.Get()
	return err == nil && now&^found == 0
}

// Restore ignores and blocks the signals again, for an exec by the calling thread. undo
// unblocks them, for where the exec fails. The caller has locked its goroutine to its
// thread.
func (s *Signals) Restore() (undo func()) {
	for _, one := range s.ignored {
		signal.Ignore(os.Signal(one))
		ignore(one) // those that os/signal leaves to Go's runtime
	}
	before, err := sigmask.Set(s.blocked)
	if err != nil {
		return func() {}
	}
	return func() { _, _ = sigmask.Set(before) }
}
