//go:build !unix

// Package flock takes locks on open files.
package flock

import (
	"errors"
	"os"
)

// Try returns [errors.ErrUnsupported] on this system.
func Try(*os.File, bool) (bool, error) { return false, errors.ErrUnsupported }

// Release returns [errors.ErrUnsupported] on this system.
func Release(*os.File) error { return errors.ErrUnsupported }
