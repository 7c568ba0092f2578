//go:build !darwin && !linux

// Package erase deletes directories with all that is in them, and nothing that is
// mounted there.
package erase

import "errors"

// ErrMounted reports that a file system is mounted in a directory that is to be
// deleted.
var ErrMounted = errors.New("a file system is mounted there; unmount it")

// All is not supported here.
func All(string) error { return errors.ErrUnsupported }

// Within is not supported here.
func Within(string, ...string) error { return errors.ErrUnsupported }

// Unmounted is not supported here.
func Unmounted(string) error { return errors.ErrUnsupported }

// InTurn is not supported here.
func InTurn(string, string, ...string) error { return errors.ErrUnsupported }

// Reach is not supported here.
func Reach(string, ...string) error { return errors.ErrUnsupported }
