//go:build !darwin && !linux

package tracker

import (
	"errors"
	"os"
)

// A lease does not exist on this system.
type lease struct{}

func newLease() (*lease, *os.File, error) { return nil, nil, errors.ErrUnsupported }
func (l *lease) watch(func())             {}

// Held reports that nothing is known.
func (l *lease) Held() bool { return true }

// Close does nothing.
func (l *lease) Close() error { return nil }
