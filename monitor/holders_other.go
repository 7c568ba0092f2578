//go:build !darwin && !linux

package monitor

import (
	"context"
	"errors"
)

func (v *Survey) holdersOf(context.Context, string) ([]int, int, error) {
	return nil, 0, errors.ErrUnsupported
}
