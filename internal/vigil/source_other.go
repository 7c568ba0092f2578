//go:build !darwin && !linux

package vigil

import "errors"

// A source is not supported on this system.
type source struct{}

func newSource(Subject) (*source, error) { return nil, errors.ErrUnsupported }

func (*source) next() (Change, error) { return 0, errors.ErrUnsupported }

func (*source) stop() {}

func (*source) close() {}
