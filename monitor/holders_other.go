//go:build !darwin && !linux

package monitor

import (
	"context"
	"errors"
)

func (v *Survey) look(context.Context, string) (sighting, error) {
	return sighting{}, errors.ErrUnsupported
}
