package monitor

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/gemini-monitor/gemini/internal/flock"
)

// holdLease takes the lease of the runtime in a directory for the calling process. No
// process inherits it until the file is passed on or made to survive exec.
func holdLease(dir string) (*os.File, error) {
	file, err := os.OpenFile(filepath.Join(dir, leaseFile), os.O_RDWR, 0)
	if err != nil {
		return nil, fmt.Errorf("hold lease: %w", cause(err))
	}
	got, err := flock.Try(file, false)
	if err == nil && !got {
		err = errHeldAlone
	}
	if err != nil {
		file.Close()
		return nil, fmt.Errorf("hold lease: %w", err)
	}
	return file, nil
}

// errHeldAlone reports that a process holds the lease alone: its monitor does for a moment when
// it asks whether any other holds it.
var errHeldAlone = errors.New("a process holds it alone")

// A leaseWitness reports whether any process holds the lease. Only the monitor of a
// runtime has one: asking takes the lease for a moment.
type leaseWitness struct {
	file *os.File
}

func (r *Runtime) leaseWitness() (*leaseWitness, error) {
	file, err := openRegular(r.path(leaseFile), os.O_RDWR)
	if err != nil {
		return nil, fmt.Errorf("open lease: %w", cause(err))
	}
	return &leaseWitness{file}, nil
}

// free reports whether no process holds the lease, without waiting.
func (w *leaseWitness) free() (bool, error) {
	got, err := flock.Try(w.file, true)
	if err != nil || !got {
		return false, err
	}
	return true, flock.Release(w.file)
}

func (w *leaseWitness) close() error { return w.file.Close() }
