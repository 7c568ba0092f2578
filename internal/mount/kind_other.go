//go:build !darwin && !linux

package mount

import "errors"

// Of is not supported here.
func Of(string) (FileSystem, error) { return FileSystem{}, errors.ErrUnsupported }
