package service

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"

	"github.com/gemini-monitor/gemini/examples/layerfs/mounts"
	"github.com/gemini-monitor/gemini/internal/flock"
	"github.com/gemini-monitor/gemini/monitor"
)

// The files of a service in its store.
const (
	socketFile = "layerfs.sock"
	lockFile   = "layerfs.lock"
)

// ErrNotServed reports a mount without a service.
var ErrNotServed = errors.New("no layerfs service answers")

// ErrServed reports a store that another service has.
var ErrServed = errors.New("another layerfs service has the store")

// A Place is a mount point with the store of its runtimes.
type Place struct {
	Point string // absolute, without links
	Store *monitor.Store
	// Mounted reports whether layerfs is mounted there, by a service that may be dead.
	Mounted bool
}

// Find returns the place of a mount point. The store is the one of the mount that is there,
// or else the given directory, or else one of its own in the user's state directory.
func Find(point, store string) (Place, error) {
	point, err := mounts.Resolve(point)
	if err != nil {
		return Place{}, err
	}
	p := Place{Point: point}
	found, err := mounts.At(point)
	if err != nil {
		return Place{}, err
	}
	p.Mounted = found.Kind == mounts.Kind
	switch {
	case p.Mounted && store == "":
		store = found.Source
	case store == "":
		if store, err = ownStore(point); err != nil {
			return Place{}, err
		}
	}
	p.Store, err = monitor.Open(store)
	return p, err
}

// ownStore returns the store of a mount for which none is named.
func ownStore(point string) (string, error) {
	state, err := monitor.DefaultDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(filepath.Dir(state), "gemini-layerfs", url.PathEscape(point)), nil
}

func (p Place) socket() string { return filepath.Join(p.Store.Dir(), socketFile) }

// inPlace reports whether the store is where it was when the service took its lock.
func (p Place) inPlace() bool {
	_, err := os.Lstat(filepath.Join(p.Store.Dir(), lockFile))
	return err == nil
}

// takeLock takes the lock of the store, for as long as the file is open.
func (p Place) takeLock() (*os.File, error) {
	if err := p.Store.Make(); err != nil {
		return nil, err
	}
	file, err := os.OpenFile(filepath.Join(p.Store.Dir(), lockFile), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the lock of the service: %w", err)
	}
	got, err := flock.Try(file, true)
	if err == nil && !got {
		err = fmt.Errorf("%s: %w", p.Store.Dir(), ErrServed)
	}
	if err != nil {
		file.Close()
		return nil, err
	}
	return file, nil
}
