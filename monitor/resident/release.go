package resident

import (
	"context"
	"errors"
	"fmt"

	"github.com/gemini-monitor/gemini/monitor"
	"github.com/gemini-monitor/gemini/tracker/process"
)

// releaseIn is what the method Release takes.
type releaseIn struct {
	Name    string           `json:"name"`
	Owner   process.Identity `json:"owner"`
	Process process.Identity `json:"process"`
}

func (in releaseIn) runtime() key { return key{in.Name, in.Owner} }

// carryOut releases a process.
func (in releaseIn) carryOut(ctx context.Context, w *monitor.Watching) (any, error) {
	err := w.Release(ctx, in.Process)
	if errors.Is(err, monitor.ErrUnwatched) {
		err = errLeaving
	}
	if err != nil {
		return nil, refusal(err)
	}
	return struct{}{}, nil
}

// Release has the monitor of a runtime release a process: it and what descends from it do not
// count any more. It starts no monitor. The error is [ErrUnwatched] where none answers for the
// runtime, or where it ended meanwhile, and [monitor.ErrNotExist] where the runtime has gone.
func Release(ctx context.Context, s *monitor.Store, r *monitor.Runtime, member process.Identity) error {
	record, err := r.Record()
	if err != nil {
		return err
	}
	in := releaseIn{Name: r.Name(), Owner: record.Owner, Process: member}
	c := &Client{Store: s}
	err = c.callMonitorOf(ctx, r, methodRelease, in, nil)
	if err == nil {
		return nil
	}
	if now, gone := r.Record(); errors.Is(gone, monitor.ErrNotExist) || gone == nil && now.Owner != record.Owner {
		return fmt.Errorf("runtime %q %w", r.Name(), monitor.ErrNotExist)
	}
	if unanswered(err) {
		return fmt.Errorf("runtime %q %w", r.Name(), ErrUnwatched)
	}
	return explain(err)
}
