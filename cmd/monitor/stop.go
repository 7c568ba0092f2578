package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/gemini-monitor/gemini/monitor"
	"github.com/gemini-monitor/gemini/monitor/resident"
)

func newStop(g *global) *cobra.Command {
	var all bool
	var signal, grace string
	cmd := &cobra.Command{
		Use:   "stop NAME... | --all",
		Short: "End all processes of a runtime, and return when it is gone",
		Long: `stop has the monitor end every process of the runtimes: each gets SIGTERM, or what
--signal names, and those that are stopped are continued. When the grace is over, those
that are left, and those that were born meanwhile, are killed, again and again until no
process of the runtime is known and the lease is free. No process group is signalled, and
no PID without a look at whose it is now.

stop returns when the runtimes are gone, or idle where they are durable. A second stop joins the first: there is no second
signal, and the shorter grace counts. The monitor goes on with it where stop is interrupted.
Called inside of a runtime that it stops, it ends with it, after all others.

Exit code 1: something is left. Each process that does not end is named with the reason,
such as one of another user.`,
		Example: `  monitor stop build
  monitor stop --all --grace 2s
  monitor stop web --signal INT`,
		Args: func(_ *cobra.Command, args []string) error {
			switch {
			case all && len(args) > 0:
				return usageError("stop takes names or --all, not both")
			case !all && len(args) == 0:
				return usageError("stop takes names of runtimes, or --all; see 'monitor help stop'")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			how, err := readStop(signal, grace)
			if err != nil {
				return err
			}
			store, err := g.open()
			if err != nil {
				return err
			}
			if all {
				if args, err = store.Names(); err != nil {
					return err
				}
			}
			return g.stop(cmd.Context(), store, args, all, how)
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "stop all runtimes of the store")
	cmd.Flags().StringVar(&signal, "signal", "TERM", "the first signal, by name or number")
	cmd.Flags().StringVar(&grace, "grace", graceOfLimits, "how long processes may take from then on, before they are killed")
	cmd.ValidArgsFunction = completeNames(g)
	oneOf(cmd, "signal", "TERM", "INT", "HUP", "QUIT", "USR1", "USR2")
	return cmd
}

// A manner is how runtimes are stopped.
type manner struct {
	signal syscall.Signal
	grace  time.Duration
	forgo  bool // an on-empty command that fails, or takes longer than the grace, is given up
}

func readStop(signal, grace string) (how manner, err error) {
	if how.signal, err = parseSignal(signal); err != nil {
		return how, err
	}
	how.grace, err = parseSpan(grace)
	if err != nil {
		return how, usageError("--grace %v", err)
	}
	if how.signal == syscall.SIGKILL {
		how.grace = 0 // there is nothing to wait for
	}
	return how, nil
}

// abreast is how many runtimes are stopped at once. The resident monitor has a limit of
// connections.
const abreast = 256

// stop stops runtimes side by side. The one that the caller is in comes last, because the
// caller ends with it.
func (g *global) stop(ctx context.Context, store *monitor.Store, names []string, all bool, how manner) error {
	own := ""
	if survey, err := store.Survey(); err == nil {
		if status, err := survey.Current(); err == nil {
			own = status.Name
		}
	}
	defer showProgress(store, names)()
	failed := make([]error, len(names))
	turns := make(chan struct{}, abreast)
	var others sync.WaitGroup
	last := -1
	for i, name := range names {
		if name == own {
			last = i
			continue
		}
		turns <- struct{}{}
		others.Go(func() {
			defer func() { <-turns }()
			failed[i] = g.stopOne(ctx, store, name, all, how)
		})
	}
	others.Wait()
	if last >= 0 {
		failed[last] = g.stopOne(ctx, store, own, all, how)
	}
	return errors.Join(failed...)
}

// stopOne stops one runtime. A runtime that is gone is no error where all are stopped.
func (g *global) stopOne(ctx context.Context, store *monitor.Store, name string, all bool, how manner) error {
	r, err := store.Runtime(name)
	var rest resident.Rest
	hooked, stays := staysForOnEmpty(store, name, how)
	if err == nil && !stays {
		err = g.whileWatched(ctx, store, func() (err error) {
			rest, err = resident.Stop(ctx, store, r, how.signal, how.grace)
			return err
		})
		if err == nil && rest.Empty {
			hooked, stays = staysForOnEmpty(store, name, how)
		}
	}
	if err == nil && stays {
		rest, err = g.forgoOnEmpty(ctx, store, r, hooked, how)
	}
	switch {
	case errors.Is(err, monitor.ErrNotExist):
		// Of a removed one something may be left that cannot be deleted.
		if left := g.remainder(store, name, resident.Rest{Empty: true}); left != nil || all {
			return left
		}
		return err
	case errors.Is(err, resident.ErrUnwatched):
		return fmt.Errorf("%w; \"monitor serve %s\" goes on with it", err, name)
	case err != nil:
		return err
	}
	return g.remainder(store, name, rest)
}

// whileWatched makes a call to the monitor of a runtime. Where that ends meanwhile, the next one
// is called.
func (g *global) whileWatched(ctx context.Context, store *monitor.Store, call func() error) error {
	err := call()
	for tries := 0; errors.Is(err, resident.ErrUnwatched) && tries < 3 && g.adopt(ctx, store); tries++ {
		err = call()
	}
	return err
}

// forgoOnEmpty has the on-empty command given up for which a runtime stays, and returns what is
// left then. A command that runs has the grace to end.
func (g *global) forgoOnEmpty(ctx context.Context, store *monitor.Store, r *monitor.Runtime, hooked monitor.Status, how manner) (resident.Rest, error) {
	gone := monitor.Wait{Name: hooked.Name, Owner: hooked.Owner}
	if hooked.RunsOnEmpty() {
		limited, done := context.WithTimeout(ctx, how.grace)
		defer done()
		if store.Await(limited, gone) == nil {
			return resident.Rest{}, nil
		}
	}
	err := g.whileWatched(ctx, store, func() error { return resident.ForgoOnEmpty(ctx, store, r) })
	if err != nil {
		return resident.Rest{}, err
	}
	limited, done := context.WithTimeout(ctx, concluding)
	defer done()
	err = store.Await(limited, gone)
	return resident.Rest{Empty: err != nil}, ctx.Err()
}

// staysForOnEmpty returns the status of a runtime that stays because of its on-empty command,
// where that is to be given up.
func staysForOnEmpty(store *monitor.Store, name string, how manner) (hooked monitor.Status, stays bool) {
	if !how.forgo {
		return hooked, false
	}
	hooked, err := statusOf(store, name)
	return hooked, err == nil && hooked.StaysForOnEmpty()
}

// remainder returns an error that names what is left of a runtime, nil for nothing.
func (g *global) remainder(store *monitor.Store, name string, rest resident.Rest) error {
	if len(rest.Members) > 0 {
		left := make([]string, len(rest.Members))
		for i, m := range rest.Members {
			left[i] = fmt.Sprintf("%d %s (%s): %s", m.PID, plain(m.Command), userName(m.User), plain(m.Reason))
		}
		return fmt.Errorf("runtime %q is not stopped: %s", name, strings.Join(left, ", "))
	}
	if !rest.Empty {
		return nil
	}
	survey, err := store.Survey()
	if err != nil {
		return err
	}
	status, err := survey.Named(name)
	switch {
	case errors.Is(err, monitor.ErrNotExist):
		return nil
	case err != nil:
		return err
	}
	if status.StaysForOnEmpty() {
		return fmt.Errorf("runtime %q is %s, no process of it is known: %s; 'monitor rm --force %s' removes it without that", name, status.State, plain(status.Reason), name)
	}
	return fmt.Errorf("runtime %q is %s, no process of it is known: %s", name, status.State, plain(status.Reason))
}
