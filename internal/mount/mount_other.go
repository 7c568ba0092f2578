//go:build !darwin && !linux

// Package mount tells where file systems are mounted, and when that changes.
package mount

import "errors"

// Below is not supported here.
func Below(string) (string, error) { return "", errors.ErrUnsupported }

// Notify is not supported here.
func Notify(func()) (stop func(), err error) { return nil, errors.ErrUnsupported }
