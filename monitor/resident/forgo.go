package resident

import (
	"context"
	"errors"
	"fmt"

	"github.com/gemini-monitor/gemini/internal/varlink"
	"github.com/gemini-monitor/gemini/monitor"
	"github.com/gemini-monitor/gemini/tracker/process"
)

// forgoIn is what the method ForgoOnEmpty takes.
type forgoIn struct {
	Name  string           `json:"name"`
	Owner process.Identity `json:"owner"`
}

func (in forgoIn) runtime() key { return key{in.Name, in.Owner} }

// carryOut gives the on-empty command up.
func (in forgoIn) carryOut(ctx context.Context, w *monitor.Watching) (any, error) {
	err := w.ForgoOnEmpty(ctx)
	if errors.Is(err, monitor.ErrUnwatched) {
		err = errLeaving
	}
	if err != nil {
		return nil, refusal(err)
	}
	return struct{}{}, nil
}

// ForgoOnEmpty has the monitor of a runtime give its on-empty command up. It starts no monitor.
// It is no error where the runtime has gone. The error is [ErrUnwatched] where no monitor
// answers for it, or where that ended meanwhile.
func ForgoOnEmpty(ctx context.Context, s *monitor.Store, r *monitor.Runtime) error {
	record, err := r.Record()
	if errors.Is(err, monitor.ErrNotExist) || err == nil && record.State == monitor.StateIdle {
		return nil
	}
	if err != nil {
		return err
	}
	in := forgoIn{r.Name(), record.Owner}
	err = (&Client{Store: s}).callMonitorOf(ctx, r, methodForgoOnEmpty, in, nil)
	if err == nil {
		return nil
	}
	if now, gone := r.Record(); errors.Is(gone, monitor.ErrNotExist) || gone == nil && (now.Owner != record.Owner || now.State == monitor.StateIdle) {
		return nil
	}
	failed, _ := errors.AsType[*varlink.Error](err)
	switch {
	case unanswered(err):
		return fmt.Errorf("runtime %q %w", r.Name(), ErrUnwatched)
	case failed != nil && failed.Name == varlink.MethodNotFound:
		return fmt.Errorf("runtime %q has a monitor of an older version, which gives no on-empty command up", r.Name())
	}
	return explain(err)
}
