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

// visible returns nil when it can be told here whether the processes of the
// runtime are alive.
func (r Record) visible() error {
	since, err := r.Owner.ThisBoot()
	if err != nil {
		return err
	}
	// What was made before this machine was started is over, if it was made on
	// this machine.
	if here, _ := os.Hostname(); !since && !r.madeHere(here) {
		return fmt.Errorf("%w: it was made on %q, and this is %q", ErrElsewhere, r.Host, here)
	}
	if err := r.Owner.Visible(); err != nil {
		return fmt.Errorf("%w: process %d was %w", ErrElsewhere, r.Owner.PID, err)
	}
	return nil
}

// madeHere reports whether the runtime was made on this machine, whose name is
// given. A record without a machine is judged by the name, and one without either
// has been made here: no machine that others share a store with is nameless.
func (r Record) madeHere(name string) bool {
	if here, err := thisMachine(); err == nil && r.Machine != "" {
		return r.Machine == here
	}
	return r.Host == name || r.Host == "" || name == ""
}

// thisMachine tells this machine from others.
var thisMachine = sync.OnceValues(readMachine)
