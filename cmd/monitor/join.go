package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/gemini-monitor/gemini/monitor"
	"github.com/gemini-monitor/gemini/monitor/resident"
	"github.com/gemini-monitor/gemini/tracker/process"
)

func newJoin(g *global) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "join NAME -- COMMAND [ARG...]",
		Short: "Run a command as a member of a living runtime",
		Long: `join becomes the command, as run does, inside of a runtime that is there already: same
PID, same terminal, same process group; signals and the exit status are the command's own.
The command and everything that descends from it are members from then on. They keep the
runtime alive, and stop and the limits of the runtime end them too.

The monitor of the runtime watches the process before the command begins. The command has
the lease and the mark of the runtime, and MONITOR_RUNTIME, MONITOR_RUNTIME_DIR and
MONITOR_STORE as run sets them. What the process had started before does not count.

A runtime is joined while a member of it is known to live. join is refused where the members
are told to end, where the on-empty command runs, and in a runtime that is unknown because
no member is known: all that is sure then is that the lease is held. The owner stays the
owner.

A member may join again. A process of a runtime may join one that lies inside of it, and
counts for both. It may not join another runtime of the same monitor beside it.

When the command was not started, the exit code is 127 if it was not found, 126 if it is not
executable, else 125: there is no such runtime, it is broken, or it refuses.`,
		Example: `  monitor join web -- tail -f /var/log/web.log
  monitor join build -- sh             # look around inside, in a second terminal`,
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case len(args) == 0:
				return failed(errors.New("join takes the name of a runtime and a command; see 'monitor help join'"))
			case len(args) == 1:
				return failed(errors.New("join takes a command behind the name; see 'monitor help join'"))
			}
			return failed(g.join(args[0], args[1:]))
		},
	}
	cmd.Flags().SetInterspersed(false) // what follows the command is the command's
	cmd.DisableFlagsInUseLine = true
	cmd.ValidArgsFunction = completeJoin(g)
	return cmd
}

// join becomes the command as a member of a runtime. It returns only where that fails.
func (g *global) join(name string, args []string) error {
	if args[0] == "--" { // behind the name, where the flags have ended
		args = args[1:]
	}
	if len(args) == 0 {
		return errors.New("join takes a command behind \"--\"; see 'monitor help join'")
	}
	path, err := findCommand(args[0])
	if err != nil {
		return err
	}
	store, err := g.open()
	if err != nil {
		return err
	}
	r, err := store.Runtime(name)
	if err != nil {
		return err
	}
	count := func(ctx context.Context, owner process.Identity, strangers []process.Identity) error {
		return g.count(ctx, store, r, owner, strangers)
	}
	return r.Join(monitor.Program{Path: path, Args: args, Patience: patience}, count)
}

// count has the monitor of a runtime count this process. Where none answers, it starts the
// resident one, which takes the runtime over. An older resident hands over first.
func (g *global) count(ctx context.Context, store *monitor.Store, r *monitor.Runtime, owner process.Identity, strangers []process.Identity) error {
	ask := func() error { return resident.Join(ctx, store, r, owner, strangers) }
	err := ask()
	for tries := 0; tries < 3 && g.another(ctx, store, err); tries++ {
		err = ask()
	}
	if errors.Is(err, resident.ErrUnwatched) {
		return fmt.Errorf("%w; \"monitor serve %s\" goes on with it", err, r.Name())
	}
	return err
}

// another reports whether another monitor may answer after an error: it has one begin.
func (g *global) another(ctx context.Context, store *monitor.Store, err error) bool {
	switch {
	case errors.Is(err, resident.ErrUnwatched):
		return g.adopt(ctx, store)
	case errors.Is(err, resident.ErrOutdated):
		client, _ := g.client(store, nil)
		return client != nil && client.Renew(ctx) == nil && g.adopt(ctx, store)
	}
	return false
}

// completeJoin completes the name of a runtime, then a command.
func completeJoin(g *global) cobra.CompletionFunc {
	names := completeName(g)
	return func(cmd *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
		if len(args) == 0 && !strings.ContainsRune(begun, filepath.Separator) {
			return names(cmd, args, begun)
		}
		args = args[min(1, len(args)):]
		if len(args) > 0 && args[0] == "--" { // behind the name, where the flags have ended
			args = args[1:]
		}
		return completeCommand(cmd, args, begun)
	}
}
