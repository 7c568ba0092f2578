package monitor

import (
	"errors"
	"fmt"
	"os"
	"sync"
)

// ErrElsewhere reports a runtime whose processes cannot be seen from here: it
// belongs to another machine that uses the same store, or to other namespaces of
// this one.
var ErrElsewhere = errors.New("its processes cannot be seen from here")

// visible returns nil when the process table here shows whether the processes of
// the runtime are alive. Otherwise the error wraps [ErrElsewhere].
func (r Record) visible() error {
	since, err := r.Owner.ThisBoot()
	if err != nil {
		return err
	}
	// A runtime that was made on this machine before its last start has no live
	// process.
	if here, _ := os.Hostname(); !since && !r.madeHere(here) {
		return fmt.Errorf("%w: it was made on %q, and this is %q", ErrElsewhere, r.Host, here)
	}
	if err := r.Owner.Visible(); err != nil {
		return fmt.Errorf("%w: process %d was %w", ErrElsewhere, r.Owner.PID, err)
	}
	return nil
}

// madeHere reports whether the runtime was made on this machine, whose name is
// given. Where the record has no machine, the names are compared. Where it has no name
// either, the answer is true: machines that share a store have names.
func (r Record) madeHere(name string) bool {
	if here, err := thisMachine(); err == nil && r.Machine != "" {
		return r.Machine == here
	}
	return r.Host == name || r.Host == "" || name == ""
}

// thisMachine returns what identifies this machine. It reads that once.
var thisMachine = sync.OnceValues(readMachine)
