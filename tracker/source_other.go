//go:build !darwin && !linux

package tracker

import "errors"

func newSource() (source, error) { return nil, errors.ErrUnsupported }
