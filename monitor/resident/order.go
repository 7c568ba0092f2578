package resident

import (
	"context"

	"github.com/gemini-monitor/gemini/internal/varlink"
	"github.com/gemini-monitor/gemini/monitor"
)

// An order is a request that the monitor of one runtime carries out, for any caller of its user.
type order interface {
	runtime() key
	carryOut(ctx context.Context, w *monitor.Watching) (any, error)
}

// ordered is the method of an order, for the monitors that find returns.
func ordered[T order](find func(key) (*monitor.Watching, error)) varlink.Method {
	return func(ctx context.Context, r *varlink.Request) (any, error) {
		var in T
		if err := r.Decode(&in); err != nil {
			return nil, err
		}
		w, err := find(in.runtime())
		if err != nil {
			return nil, err
		}
		return in.carryOut(ctx, w)
	}
}
