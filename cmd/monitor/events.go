package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/gemini-monitor/gemini/monitor"
)

func newEvents(g *global) *cobra.Command {
	var asJSON bool
	var since string
	cmd := &cobra.Command{
		Use:   "events [NAME] [--since WHEN]",
		Short: "Print what happens to runtimes as it happens",
		Long: `events prints a line for each event of all runtimes, or of the one that NAME names: when,
which runtime, and what:
  state        it has another state, with the reason; starting has its command
  joined       a process became a member, with its PID, program and link
  left         a member has ended
  emptied      no member is left
  unreadable   the process table cannot be read, and then it can be again (readable)
  unwatched    no monitor had it since some time, and one has it again
  removed      it has lost its name, with what told its members to end
  gap          events may be missing, with the time since when and the reason

It begins with what happens from now on, or with --since at that time, as far as the
journals and the history go back. A journal goes with its runtime: of one that was
removed, only its start, a gap and its removal are known.

With NAME it goes on until that runtime is gone. It reads files and asks no monitor:
a reader that is slow holds up none, and where it was too slow it gets a gap.

Exit codes: 0 the runtime of that name is gone, 1 there is none, or it failed, 2 the
arguments are wrong, 3 it had gone before, and no event of it was asked for.`,
		Example: `  monitor events
  monitor events build
  monitor events --since 10m              # seconds, or a number with s, m, h or d
  monitor events --since 2026-01-02T15:04:05Z --json`,
		Args: arguments(0, 1, "at most the name of a runtime"),
		RunE: func(cmd *cobra.Command, args []string) error {
			from, err := parseSince(since, time.Now())
			if err != nil {
				return usageError("--since: %w", err)
			}
			ctx, stop := whileRead(cmd.Context(), cmd.OutOrStdout())
			defer stop()
			return g.events(ctx, args, from, printerOf(cmd.OutOrStdout(), asJSON))
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print an object of JSON on each line")
	cmd.Flags().StringVar(&since, "since", "", "begin with what has happened since a time (RFC 3339), or since so many seconds, or a time span such as 10m, ago (default now)")
	return cmd
}

// parseSince reads a time, or how long ago it was. It returns the zero time for no text.
func parseSince(text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if span, err := parseSpan(text); err == nil {
		return now.Add(-span), nil
	}
	for _, form := range []string{time.RFC3339, "2006-01-02T15:04:05", time.DateTime, time.DateOnly} {
		if at, err := time.ParseInLocation(form, text, time.Local); err == nil {
			if at.After(now) {
				return time.Time{}, fmt.Errorf("%s is still to come", text)
			}
			return at, nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is no time such as %s, nor a time span such as 90, 10m or 2h", text, now.UTC().Format(time.RFC3339))
}

// An eventPrinter prints events, and writes out what it has when there are no more of them
// for the moment.
type eventPrinter struct {
	out   *bufio.Writer
	print func(io.Writer, monitor.Event) error
}

func printerOf(out io.Writer, asJSON bool) *eventPrinter {
	p := &eventPrinter{bufio.NewWriter(out), printEvent}
	if asJSON {
		p.print = printEventJSON
	}
	return p
}

// printEventJSON prints an event as one line.
func printEventJSON(out io.Writer, e monitor.Event) error {
	text, err := json.Marshal(e)
	if err == nil {
		_, err = out.Write(append(escapeJSON(text), '\n'))
	}
	return err
}

// events prints the events of all runtimes, or of the one that the argument names.
func (g *global) events(ctx context.Context, args []string, since time.Time, p *eventPrinter) error {
	store, err := g.open()
	if err != nil {
		return err
	}
	log, err := g.logger(os.Stderr)
	if err != nil {
		return err
	}
	ctx, stop := quittable(ctx)
	defer stop()
	what := monitor.Following{
		Since: since, Log: log, Rest: p.out.Flush,
		Report: func(e monitor.Event) error { return p.print(p.out, e) },
	}
	if len(args) == 0 {
		if _, err := g.allAdopted(ctx, store); err != nil {
			return err
		}
		return causeOf(ctx, store.Follow(ctx, what))
	}
	what.Name = args[0]
	record, err := store.Find(what.Name)
	if errors.Is(err, monitor.ErrNotExist) || err == nil && record.State == monitor.StateIdle {
		past, err := store.Ended(what.Name, record.Owner)
		if err == nil && (since.IsZero() || past.Ended.Before(since)) {
			return &exitError{exitGone, endedBefore(past)}
		}
		if err != nil {
			return err
		}
		what.Owner = past.Owner
		return causeOf(ctx, store.Follow(ctx, what))
	}
	if err != nil {
		return err
	}
	if err := g.adoptFirst(ctx, store, what.Name); err != nil {
		return err
	}
	what.Owner = record.Owner
	return causeOf(ctx, g.followToEnd(ctx, store, what))
}

// causeOf returns why the context of a command has ended, where that is the error.
func causeOf(ctx context.Context, err error) error {
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		return context.Cause(ctx)
	}
	return err
}

// followToEnd follows a runtime until it is gone. Where its monitor ends, another one takes
// over.
func (g *global) followToEnd(ctx context.Context, store *monitor.Store, what monitor.Following) error {
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	gone := make(chan error, 1)
	go func() {
		err := store.Await(ctx, monitor.Wait{Name: what.Name, Owner: what.Owner, Log: what.Log, Unwatched: g.unwatched(store, what.Name)})
		if err != nil {
			end(err)
		}
		gone <- err
	}()
	err := causeOf(ctx, store.Follow(ctx, what))
	if err != nil {
		end(err)
	}
	if waited := <-gone; err == nil {
		err = waited
	}
	return err
}
