package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/gemini-monitor/gemini/examples/layerfs/mounts"
	"github.com/gemini-monitor/gemini/examples/layerfs/service"
)

// answering is how long the service may take to answer a question.
const answering = 10 * time.Second

func newStatus() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "status MOUNT [--json]",
		Short: "Print which runtimes see what at a mount, with their processes",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			place, err := service.Find(args[0], "")
			if err != nil {
				return err
			}
			if !place.Mounted {
				return notMounted(place)
			}
			ctx, done := context.WithTimeout(context.Background(), answering)
			defer done()
			status, err := place.Status(ctx)
			if err != nil {
				return err
			}
			if asJSON {
				return json.NewEncoder(os.Stdout).Encode(status)
			}
			return print(os.Stdout, status)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// print prints a status for people.
func print(to io.Writer, s service.Status) error {
	table := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	asks := ""
	if s.Resident {
		asks = ", which asks the resident monitor"
	}
	fmt.Fprintf(table, "%s is served by process %d%s\n", s.Mount, s.Process.PID, asks)
	if len(s.Runtimes) > 0 {
		fmt.Fprintln(table, "NAME\tEDIT\tPROCESSES\tLAYERS")
	}
	for _, r := range s.Runtimes {
		edit, layers := "no", strings.Join(r.Layers, " ")
		if r.Edit {
			edit = "yes"
		}
		if r.Broken != "" {
			layers = "not known: " + r.Broken
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", r.Name, edit, strings.Trim(fmt.Sprint(r.Members), "[]"), layers)
	}
	return table.Flush()
}

func newUnmount() *cobra.Command {
	var force bool
	cmd := &cobra.Command{
		Use:   "unmount MOUNT [--force]",
		Short: "Unmount, and end the service",
		Long: `unmount unmounts and ends the service. It refuses while runtimes live or processes use the
mount, and names them.

With --force it ends all processes of the runtimes first: SIGTERM, and SIGKILL 5 seconds
later. What they have written goes. Other processes that use the mount get errors then.`,
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			place, err := service.Find(args[0], "")
			if err != nil {
				return err
			}
			if !place.Mounted {
				return notMounted(place)
			}
			ctx, done := context.WithTimeout(context.Background(), time.Minute)
			defer done()
			err = place.Unmount(ctx, force)
			if errors.Is(err, service.ErrNotServed) {
				return unmountDead(place, force)
			}
			if busy, ok := errors.AsType[*service.Busy](err); ok {
				return fmt.Errorf("%w\nlayerfs unmount --force ends the processes of the runtimes", busy)
			}
			return err
		},
	}
	cmd.Flags().BoolVar(&force, "force", false, "end the processes of all runtimes first")
	return cmd
}

// unmountDead unmounts what a service has left that was killed. The next service takes the
// runtimes over, so it refuses while there are any.
func unmountDead(place service.Place, force bool) error {
	names, err := place.Store.Names()
	if err != nil {
		return err
	}
	if len(names) > 0 && !force {
		return fmt.Errorf("the service was killed and has left the runtimes %s: \"layerfs serve %s\" goes on with them, --force unmounts and leaves them in %s",
			strings.Join(names, ", "), place.Point, place.Store.Dir())
	}
	return mounts.Detach(place.Point)
}
