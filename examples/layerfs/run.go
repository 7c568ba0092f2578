package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/gemini-monitor/gemini/examples/layerfs/service"
	"github.com/gemini-monitor/gemini/examples/layerfs/union"
	"github.com/gemini-monitor/gemini/monitor"
)

// patience is how long the service may take to begin to watch.
const patience = 30 * time.Second

func newRun() *cobra.Command {
	var mount, name string
	var p service.Payload
	cmd := &cobra.Command{
		Use:   "run [--edit] [--name NAME] --mount MOUNT --layer DIR... -- COMMAND [ARG...]",
		Short: "Run a command that sees layers at the mount",
		Long: `run makes a runtime and becomes the command: same PID, same terminal. The command and all
that descends from it see the layers at MOUNT, the first one on top.

With --edit they can write. What they write is in a scratch layer of the runtime, which goes
when the last of them has ended.

The command is not started where the service does not answer. The exit code is 127 then if
the command was not found, 126 if it is not executable, else 125.`,
		Example: `  layerfs run --mount /mnt/x --layer ./base -- ls /mnt/x
  layerfs run --edit --mount /mnt/x --layer ./mine --layer ./base -- bash`,
		Args: cobra.ArbitraryArgs,
		RunE: func(_ *cobra.Command, args []string) error { return failed(run(mount, name, p, args)) },
	}
	flags := cmd.Flags()
	flags.StringVar(&mount, "mount", "", "where layerfs is mounted")
	flags.StringVar(&name, "name", "", "name of the runtime (default: made up)")
	flags.StringArrayVar(&p.Layers, "layer", nil, "a directory to show; the first one is on top")
	flags.BoolVar(&p.Edit, "edit", false, "let the command write, into a scratch layer")
	_ = cmd.MarkFlagRequired("mount")
	_ = cmd.MarkFlagRequired("layer")
	return cmd
}

// run becomes the command. It returns only where that fails.
func run(mount, name string, p service.Payload, args []string) error {
	if len(args) == 0 {
		return errors.New("run takes a command behind \"--\"")
	}
	stack, err := union.New(p.Layers)
	if err != nil {
		return err
	}
	p.Layers = stack.Layers()
	place, err := service.Find(mount, "")
	if err != nil {
		return err
	}
	if !place.Mounted {
		return notMounted(place)
	}
	path, err := findCommand(args[0])
	if err != nil {
		return err
	}
	return place.Store.Run(
		monitor.Creation{Name: name, Command: args},
		monitor.Program{Path: path, Args: args, Keeper: service.Keeper{Place: place, Payload: p}, Patience: patience})
}

func notMounted(place service.Place) error {
	return fmt.Errorf("%w: layerfs is not mounted at %s; start it with \"layerfs serve %s\"", service.ErrNotServed, place.Point, place.Point)
}

func newJoin() *cobra.Command {
	var mount string
	cmd := &cobra.Command{
		Use:   "join NAME --mount MOUNT -- COMMAND [ARG...]",
		Short: "Run a command as a member of a runtime: it sees the same",
		Args:  cobra.MinimumNArgs(2),
		RunE: func(_ *cobra.Command, args []string) error {
			return failed(join(mount, args[0], args[1:]))
		},
	}
	cmd.Flags().StringVar(&mount, "mount", "", "where layerfs is mounted")
	_ = cmd.MarkFlagRequired("mount")
	return cmd
}

func join(mount, name string, args []string) error {
	place, err := service.Find(mount, "")
	if err != nil {
		return err
	}
	if !place.Mounted {
		return notMounted(place)
	}
	r, err := place.Store.Runtime(name)
	if err != nil {
		return err
	}
	path, err := findCommand(args[0])
	if err != nil {
		return err
	}
	return r.Join(monitor.Program{Path: path, Args: args, Patience: patience}, place.Count(r))
}

// findCommand returns the path of a program, as a shell finds it.
func findCommand(name string) (string, error) {
	path, err := exec.LookPath(name)
	if errors.Is(err, exec.ErrDot) {
		err = nil
	}
	if err != nil {
		return "", &os.PathError{Op: "exec", Path: name, Err: err}
	}
	return filepath.Abs(path)
}

// failed gives an error of run the exit code of its kind.
func failed(err error) error {
	program, _ := errors.AsType[*os.PathError](err)
	switch {
	case program == nil || program.Op != "exec":
		return &exitError{125, err}
	case errors.Is(err, exec.ErrNotFound) || errors.Is(err, fs.ErrNotExist):
		return &exitError{127, err}
	}
	return &exitError{126, err}
}
