// Package latelog keeps lines of a log that cannot be written, and writes them when the
// next line can.
package latelog

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// Most is how many lines a log keeps. Of more, the oldest are dropped.
const Most = 16

// Late is the key of an attribute that a line has which was written late: true.
const Late = "late"

// Keep returns a handler that passes lines on to another one. It keeps those of which that
// one returns an error, and passes them on again before the next line, with the attribute
// [Late]. A line that says how many were dropped comes before them. All handlers that are
// made of one by WithAttrs and WithGroup keep their lines together.
func Keep(h slog.Handler) slog.Handler { return &handler{h, new(backlog)} }

type handler struct {
	slog.Handler
	backlog *backlog
}

// WithAttrs implements [slog.Handler].
func (h *handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &handler{h.Handler.WithAttrs(attrs), h.backlog}
}

// WithGroup implements [slog.Handler].
func (h *handler) WithGroup(name string) slog.Handler {
	return &handler{h.Handler.WithGroup(name), h.backlog}
}

// Handle implements [slog.Handler]. After an error the line is kept.
func (h *handler) Handle(ctx context.Context, r slog.Record) error {
	b := h.backlog
	b.mu.Lock()
	defer b.mu.Unlock()
	err := b.flush(ctx, h.Handler)
	if err == nil {
		err = h.Handler.Handle(ctx, r)
	}
	if err != nil {
		b.keep(line{h.Handler, r.Clone()})
	}
	return err
}

// A backlog is what could not be written of one log.
type backlog struct {
	mu      sync.Mutex
	lines   []line
	dropped int
}

// A line is a record with the handler that it was given to.
type line struct {
	by     slog.Handler
	record slog.Record
}

func (b *backlog) keep(l line) {
	if len(b.lines) == Most {
		b.lines = append(b.lines[:0], b.lines[1:]...)
		b.dropped++
	}
	b.lines = append(b.lines, l)
}

// flush writes what is kept, until an error.
func (b *backlog) flush(ctx context.Context, h slog.Handler) error {
	if b.dropped > 0 {
		r := slog.NewRecord(time.Now(), slog.LevelWarn, "lines of this log could not be written and are lost", 0)
		r.AddAttrs(slog.Int("lines", b.dropped))
		if err := h.Handle(ctx, r); err != nil {
			return err
		}
		b.dropped = 0
	}
	for len(b.lines) > 0 {
		l := b.lines[0]
		late := l.record.Clone()
		late.AddAttrs(slog.Bool(Late, true))
		if err := l.by.Handle(ctx, late); err != nil {
			return err
		}
		b.lines = b.lines[1:]
	}
	b.lines = nil
	return nil
}
