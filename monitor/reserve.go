package monitor

import (
	"errors"
	"fmt"
	"os"
	"sync"
)

// needed is how many descriptors the removal of a runtime with a flat directory has open at
// most: the history or the record, and the way to a file of the runtime.
const needed = 5

// A Reserve keeps descriptors for removals. A process that has come to its limit still removes
// its runtimes, and one that has too few to do so does not begin. It is shared by all
// runtimes that one process watches.
type Reserve struct {
	mu       sync.Mutex
	kept     []*os.File
	removals int // that are under way
}

// NewReserve opens the descriptors of a Reserve. The error is that of open(2), EMFILE for
// instance.
func NewReserve() (*Reserve, error) {
	r := &Reserve{}
	if err := r.fill(); err != nil {
		return nil, errors.Join(fmt.Errorf("keep %d descriptors for the removal: %w", needed, err), r.Close())
	}
	return r, nil
}

// Close closes the descriptors.
func (r *Reserve) Close() (err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.empty()
}

// lend makes the descriptors free for a removal, which calls back when it has ended. What
// cannot be opened again then is opened after a later one.
func (r *Reserve) lend() (back func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.removals++
	_ = r.empty()
	return func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.removals--; r.removals == 0 {
			_ = r.fill()
		}
	}
}

func (r *Reserve) fill() error {
	for len(r.kept) < needed {
		file, err := os.Open(os.DevNull)
		if err != nil {
			return cause(err)
		}
		r.kept = append(r.kept, file)
	}
	return nil
}

func (r *Reserve) empty() (err error) {
	for _, file := range r.kept {
		err = errors.Join(err, file.Close())
	}
	r.kept = nil
	return err
}
