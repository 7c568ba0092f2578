//go:build !darwin && !linux

package monitor

import (
	"context"
	"errors"
	"time"
)

type releaseWatch struct{}

func watchRelease(string) (*releaseWatch, error) { return nil, errors.ErrUnsupported }

func (w *releaseWatch) wait(context.Context, time.Duration) error { return errors.ErrUnsupported }

func (w *releaseWatch) close() error { return nil }
