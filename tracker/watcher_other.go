//go:build !darwin && !linux

package tracker

import (
	"errors"
	"time"
)

type watcher struct{}

func newWatcher() (*watcher, error) { return nil, errors.ErrUnsupported }

func (w *watcher) reportsForks() bool { return false }

func (w *watcher) add(int) error { return errors.ErrUnsupported }

func (w *watcher) remove(int) {}

func (w *watcher) next(notices []Notice, _ time.Duration) ([]Notice, error) {
	return notices, errors.ErrUnsupported
}

func (w *watcher) wake() {}

func (w *watcher) close() error { return nil }
