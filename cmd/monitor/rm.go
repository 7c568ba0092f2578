package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/gemini-monitor/gemini/monitor"
)

func newRm(g *global) *cobra.Command {
	var all, force bool
	var grace string
	cmd := &cobra.Command{
		Use:   "rm NAME... | --all",
		Short: "Remove durable runtimes that are idle, with their directories",
		Long: `rm removes runtimes that are idle: durable ones in which no process is. Their directories
go with them. One in which a process is stays, and is named with its state: end it with
'monitor stop' first, or give --force, which does that. A runtime that is not durable goes
by itself when it is empty. With --force an on-empty command that fails, or takes longer than the
grace, is given up: it is killed, and the runtime is removed without it.

Exit code 1: a runtime stays, or there is none of that name, which is no error with --force.
The others are removed all the same.`,
		Example: `  monitor rm work
  monitor rm --force --grace 2s work
  monitor rm --all                     # all that are idle`,
		Args: func(_ *cobra.Command, args []string) error {
			switch {
			case all && len(args) > 0:
				return usageError("rm takes names or --all, not both")
			case all && force:
				return usageError("rm --all removes what is idle; 'monitor stop --all' ends the others first")
			case !all && len(args) == 0:
				return usageError("rm takes names of runtimes, or --all; see 'monitor help rm'")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			how, err := readStop("TERM", grace)
			if err != nil {
				return err
			}
			if cmd.Flags().Changed("grace") && !force {
				return usageError("--grace goes with --force")
			}
			store, err := g.open()
			if err != nil {
				return err
			}
			if all {
				return removeIdle(cmd.Context(), store)
			}
			how.forgo = force
			if force {
				if err := g.stop(cmd.Context(), store, args, true, how); err != nil {
					return err
				}
			}
			return g.remove(cmd.Context(), store, args, force)
		},
	}
	cmd.Flags().BoolVarP(&all, "all", "a", false, "remove all runtimes of the store that are idle")
	cmd.Flags().BoolVarP(&force, "force", "f", false, "stop those first in which a process is, and give up on-empty commands that fail")
	cmd.Flags().StringVar(&grace, "grace", graceOfLimits, "with --force, how long processes may take before they are killed")
	cmd.ValidArgsFunction = completeNamesIn(g, monitor.StateIdle)
	return cmd
}

// removeIdle removes all runtimes that are idle. One that is run meanwhile, or was removed, is
// no error.
func removeIdle(ctx context.Context, store *monitor.Store) error {
	names, err := store.Names()
	if err != nil {
		return err
	}
	var failed []error
	for _, name := range names {
		r, err := store.Runtime(name)
		if err != nil {
			continue // it is not safe to use, or gone
		}
		if record, err := r.Record(); err != nil || record.State != monitor.StateIdle {
			continue
		}
		err = r.RemoveIdle(ctx)
		if !errors.Is(err, monitor.ErrNotExist) && !errors.Is(err, monitor.ErrNotIdle) {
			failed = append(failed, err)
		}
	}
	return errors.Join(failed...)
}

// remove removes the named runtimes, and returns why others stay. With force one that does not
// exist is no error.
func (g *global) remove(ctx context.Context, store *monitor.Store, names []string, force bool) error {
	var failed []error
	done := make(map[string]bool)
	for _, name := range names {
		if done[name] {
			continue
		}
		done[name] = true
		err := g.removeOne(ctx, store, name)
		if !force || !errors.Is(err, monitor.ErrNotExist) {
			failed = append(failed, err)
		}
	}
	return errors.Join(failed...)
}

// concluding is how long rm waits for a monitor that is about to find out that a runtime is
// empty.
const concluding = 5 * time.Second

// removeOne removes one runtime. One whose monitor has died is taken over first: it may be
// about to be idle.
func (g *global) removeOne(ctx context.Context, store *monitor.Store, name string) error {
	r, err := store.Runtime(name)
	if err != nil {
		return err
	}
	if err = r.RemoveIdle(ctx); !errors.Is(err, monitor.ErrNotIdle) {
		return err
	}
	status, err := statusOf(store, name)
	if err == nil && mayBeEmpty(status) {
		if status.State == monitor.StateUnmonitored {
			g.adopt(ctx, store)
		}
		limited, done := context.WithTimeout(ctx, concluding)
		defer done()
		if store.Await(limited, monitor.Wait{Name: status.Name, Owner: status.Owner}) == nil {
			if err = r.RemoveIdle(ctx); !errors.Is(err, monitor.ErrNotIdle) {
				return err
			}
		}
		status, err = statusOf(store, name)
	}
	if err != nil {
		return err
	}
	return notRemoved(status)
}

// mayBeEmpty reports whether a durable runtime is about to be idle, as far as can be seen.
func mayBeEmpty(s monitor.Status) bool {
	return s.Durable && len(s.Members) == 0 && (s.State == monitor.StateRunning || s.State == monitor.StateUnmonitored)
}

func statusOf(store *monitor.Store, name string) (monitor.Status, error) {
	survey, err := store.Survey()
	if err != nil {
		return monitor.Status{}, err
	}
	return survey.Named(name)
}

// notRemoved is the error about a runtime that stays, with what can be done.
func notRemoved(s monitor.Status) error {
	switch {
	case s.State == monitor.StateBroken:
		return fmt.Errorf("runtime %q is not removed: it is broken: %s", s.Name, plain(s.Reason))
	case s.StaysForOnEmpty():
		return fmt.Errorf("runtime %q is not removed: it is %s: %s; 'monitor rm --force %s' removes it without that", s.Name, condition(s), plain(s.Reason), s.Name)
	case !s.Durable:
		return fmt.Errorf("runtime %q is not removed: it is %s; it goes when it is empty, and 'monitor stop %s' ends it", s.Name, condition(s), s.Name)
	case s.Reason != "":
		return fmt.Errorf("runtime %q is not removed: it is %s: %s", s.Name, condition(s), plain(s.Reason))
	}
	return fmt.Errorf("runtime %q is not removed: it is %s; end it first with 'monitor stop %s'", s.Name, condition(s), s.Name)
}
