//go:build !darwin && !linux

package vigil

import "errors"

// A manySource is not supported on this system.
type manySource struct{}

func newManySource() (*manySource, error) { return nil, errors.ErrUnsupported }

func (*manySource) add(string) error { return errors.ErrUnsupported }

func (*manySource) drop(string) {}

func (*manySource) next(func(string, Change)) error { return errors.ErrUnsupported }

func (*manySource) stop() {}

func (*manySource) close() {}
