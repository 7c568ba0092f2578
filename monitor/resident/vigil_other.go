//go:build !darwin && !linux

package resident

import "errors"

// A dirSource is not supported on this system.
type dirSource struct{}

func watchDir(string) (*dirSource, error) { return nil, errors.ErrUnsupported }

func (*dirSource) next() (concerned bool, err error) { return false, errors.ErrUnsupported }

func (*dirSource) stop() {}

func (*dirSource) close() {}
