package main

import (
	"context"
	"errors"

	"github.com/gemini-monitor/gemini/monitor"
	"github.com/gemini-monitor/gemini/tracker/process"
)

// awaitGone returns when the runtime of an owner is gone, and how it ended: as the history of
// the store has it, or where that lacks the line, as the record had it at first. One that did
// not begin has not ended either. The error is that of ctx, or that the store cannot be read.
func (g *global) awaitGone(ctx context.Context, store *monitor.Store, name string, owner process.Identity) (how monitor.Cause, err error) {
	if r, err := store.Runtime(name); err == nil {
		if record, err := r.Record(); err == nil && record.Owner == owner && record.Ending != nil {
			how = record.Ending.By
		}
	}
	err = store.Await(ctx, monitor.Wait{Name: name, Owner: owner, Unwatched: func(ctx context.Context) { g.adopt(ctx, store) }})
	if err != nil {
		return how, err
	}
	past, err := store.Ended(name, owner)
	switch {
	case err == nil:
		return past.How, nil
	case errors.Is(err, monitor.ErrNotExist) || how != "":
		return how, nil
	}
	return how, err
}
