package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/gemini-monitor/gemini/examples/layerfs/service"
)

func newServe() *cobra.Command {
	var store string
	var o service.Options
	cmd := &cobra.Command{
		Use:   "serve MOUNT [--store DIR] [--self] [--resident]",
		Short: "Mount, and serve the mount until it is unmounted",
		Long: `serve mounts layerfs at a directory and serves it, in the foreground. It prints a line when
it answers. Runtimes that an earlier service has left in the store are taken over first. The
mount of a service that was killed is replaced.

With --self the layers of a caller are at MOUNT/self, a link to a directory of its tree. The
kernel may then remember what is below. Without, they are at MOUNT, and it asks at each step.

With --resident it follows no process. At each call it asks the resident monitor of the store,
which the program monitor starts. A caller whose runtime cannot be told gets EIO.

On SIGTERM, SIGINT or SIGHUP it takes the mount from its place and leaves the runtimes.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if o.Place, err = service.Find(args[0], store); err != nil {
				return err
			}
			o.Log = slog.New(slog.NewTextHandler(os.Stderr, nil))
			o.Ready = func() { fmt.Printf("%s is served by process %d\n", o.Place.Point, os.Getpid()) }
			ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
			defer stop()
			return service.Serve(ctx, o)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&store, "store", "", "keep the runtimes in this directory (default: one for the mount, in the user's state directory)")
	flags.BoolVar(&o.Resident, "resident", false, "follow no process: ask the resident monitor of the store")
	flags.BoolVar(&o.Self, "self", false, "show the layers at MOUNT/self")
	flags.DurationVar(&o.Cache, "cache", time.Minute, "how long the kernel may remember what does not depend on the caller")
	flags.DurationVar(&o.Patience, "patience", 10*time.Second, "how long a layer may take to answer about a directory that all trees share; then EIO")
	return cmd
}
