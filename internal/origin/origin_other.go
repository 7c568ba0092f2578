//go:build !darwin && !linux

package origin

import "errors"

// Signals are not known on this system.
type Signals struct{}

// AtStart is not supported on this system.
func AtStart() (*Signals, error) { return nil, errors.ErrUnsupported }

// Restore does nothing on this system.
func (*Signals) Restore() (undo func()) { return func() {} }
