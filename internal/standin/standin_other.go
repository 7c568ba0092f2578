//go:build !darwin && !linux

package standin

import (
	"context"
	"errors"
	"syscall"

	"github.com/gemini-monitor/gemini/tracker/process"
)

// A StandIn is not supported on this system.
type StandIn struct{}

// Start is not supported on this system.
func Start(string, []string) (*StandIn, error) { return nil, errors.ErrUnsupported }

// Child returns nothing on this system.
func (*StandIn) Child() (id process.Identity) { return id }

// Wait is not supported on this system.
func (*StandIn) Wait() (status syscall.WaitStatus, err error) { return status, errors.ErrUnsupported }

// A Told is a signal.
type Told syscall.Signal

func (Told) Error() string { return "told to end" }

// Rest returns a context that does not end.
func (*StandIn) Rest() (ctx context.Context, done func()) { return context.Background(), func() {} }

// Say does nothing on this system.
func Say(string) {}

// NoCore does nothing on this system.
func NoCore() {}
