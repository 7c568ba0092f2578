//go:build !darwin && !linux

package main

import (
	"context"
	"errors"
	"io"
)

// A screen is not supported on this system.
type screen struct{}

func openScreen(io.Writer) (*screen, bool) { return nil, false }

func (*topper) live(context.Context, *screen) error { return errors.ErrUnsupported }
