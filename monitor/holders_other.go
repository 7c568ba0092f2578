//go:build !darwin && !linux

package monitor

import (
	"context"
	"errors"

	"github.com/gemini-monitor/gemini/tracker/process"
)

func search(context.Context, string, []process.Process) (sighting, error) {
	return sighting{}, errors.ErrUnsupported
}
