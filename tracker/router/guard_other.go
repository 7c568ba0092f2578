//go:build !darwin && !linux

package router

import "errors"

type guard struct{}

type guards struct{}

func newGuards() (*guards, error) { return nil, errors.ErrUnsupported }

func (*guards) end() error { return nil }

func mostGuards() int { return 0 }

func (*guards) open(*guard, *seat) error { return errors.ErrUnsupported }

func (*guards) alive(*guard) bool { return false }

func (*guards) close(*guard) {}

func unlessSlow[T any](find, _ func() T) T { return find() }
