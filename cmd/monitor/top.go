package main

import (
	"context"
	"errors"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/gemini-monitor/gemini/monitor"
	"github.com/gemini-monitor/gemini/tracker/process"
)

func newTop(g *global) *cobra.Command {
	return &cobra.Command{
		Use:   "top [NAME]",
		Short: "Show runtimes with their processes on a terminal, as they change",
		Long: `top shows all runtimes, as list does, and below each its processes, as tree does; or those of
the runtime that NAME names. It is written anew when something happens, and ages go on each
second. With NAME it ends when that runtime is gone.

Keys: q or ^C ends it, t hides the processes or shows them again, arrows, page keys, Home and
End scroll (or k, j, b, f, g, G). ^Z stops it, as any job. It has no colours, and with NO_COLOR
set no bold and no reverse letters either.

Where standard input or standard output is no terminal, it prints what list and tree print,
once.`,
		Example: `  monitor top
  monitor top build`,
		Args: arguments(0, 1, "at most the name of a runtime"),
		RunE: func(cmd *cobra.Command, args []string) error {
			store, err := g.open()
			if err != nil {
				return err
			}
			if _, err := g.allAdopted(cmd.Context(), store); err != nil {
				return err
			}
			t := &topper{global: g, store: store, observer: newObserver(), out: cmd.OutOrStdout()}
			defer t.observer.close()
			if len(args) > 0 {
				t.name = args[0]
			}
			if err := t.look(); err != nil {
				return err
			}
			screen, live := openScreen(t.out)
			if !live {
				return t.once()
			}
			return t.live(cmd.Context(), screen)
		},
	}
}

// A topper shows runtimes.
type topper struct {
	*global
	store    *monitor.Store
	observer *observer
	out      io.Writer
	name     string           // of the only one, or ""
	owner    process.Identity // of the only one
	table    table
}

// look finds out how the runtimes are. The error is [monitor.ErrNotExist] where the only one
// is gone.
func (t *topper) look() error {
	survey, err := t.store.Survey()
	if err != nil {
		return err
	}
	var all []monitor.Status
	if t.name == "" {
		all, err = survey.All()
	} else {
		var one monitor.Status
		one, err = survey.Named(t.name)
		switch {
		case err != nil:
		case t.owner == process.Identity{}:
			t.owner = one.Owner
		case t.owner != one.Owner: // a later one has the name
			err = monitor.ErrNotExist
		}
		all = []monitor.Status{one}
	}
	if err != nil {
		return err
	}
	t.table = table{runtimes: all}
	for _, s := range all {
		t.table.members = append(t.table.members, t.observer.members(s.Members))
	}
	return nil
}

// once prints what there is.
func (t *topper) once() error {
	if err := printList(t.out, t.table.runtimes, viewFor(t.out)); err != nil {
		return err
	}
	if t.name == "" {
		return nil
	}
	return printTree(t.out, t.table.members[0], viewFor(t.out))
}

// remarkGone reports that the only runtime is gone, on standard error.
func (t *topper) remarkGone() {
	past, err := t.store.Ended(t.name, t.owner)
	if err != nil {
		remark("runtime %q is gone", t.name)
		return
	}
	remark("%s", endedBefore(past))
}

// follow calls changed when something has happened, until ctx has ended.
func (t *topper) follow(ctx context.Context, changed func()) error {
	log, err := t.logger(os.Stderr)
	if err != nil {
		return err
	}
	what := monitor.Following{Log: log, Report: func(monitor.Event) error { return nil }, Rest: func() error { changed(); return nil }}
	if t.name != "" {
		what.Name, what.Owner = t.name, t.owner
	}
	err = t.store.Follow(ctx, what)
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}
