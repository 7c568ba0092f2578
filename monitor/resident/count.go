package resident

import (
	"context"
	"fmt"

	"github.com/gemini-monitor/gemini/internal/unixsocket"
	"github.com/gemini-monitor/gemini/internal/varlink"
	"github.com/gemini-monitor/gemini/monitor"
	"github.com/gemini-monitor/gemini/tracker"
)

// A Tally is what a resident has counted since it began.
type Tally struct {
	// Mechanism and Forks are those of [tracker.Capabilities].
	Mechanism tracker.Mechanism `json:"mechanism"`
	Forks     string            `json:"forks"`
	monitor.Counted
	// Reads is how often it has read the process table, and Reading the processor time
	// that this took, in seconds.
	Reads   int     `json:"reads"`
	Reading float64 `json:"reading"`
	// Bounds are those of Gone, in seconds.
	Bounds []float64 `json:"bounds"`
}

func (s *server) count(context.Context, *varlink.Request) (any, error) {
	by := s.watches.tracker.Capabilities()
	reads, cost := s.watches.tracker.Reads()
	return Tally{
		Mechanism: by.Mechanism, Forks: by.Forks.String(), Counted: s.watches.counts.Counted(),
		Reads: reads, Reading: cost.Seconds(), Bounds: monitor.DelayBounds,
	}, nil
}

// Ask asks the resident of a store how it is and what it has counted, and starts none. The
// error is [io/fs.ErrNotExist] where none has a socket, and that of ctx when it has ended.
func Ask(ctx context.Context, s *monitor.Store) (status Status, tally Tally, err error) {
	conn, err := unixsocket.Dial(ctx, socketPath(s))
	if err != nil {
		return status, tally, err
	}
	defer conn.Close()
	if err = varlink.Call(ctx, conn, methodStatus, nil, &status); err == nil {
		err = varlink.Call(ctx, conn, methodCount, nil, &tally)
	}
	if err != nil {
		return status, tally, fmt.Errorf("ask the resident monitor: %w", err)
	}
	return status, tally, nil
}
