package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"runtime"
	"time"

	"github.com/gemini-monitor/gemini/internal/detach"
	"github.com/gemini-monitor/gemini/monitor"
	"github.com/gemini-monitor/gemini/monitor/resident"
	"github.com/gemini-monitor/gemini/tracker/process"
)

// The environment of a command that may start a resident monitor.
const (
	// envResident is "no" where runtimes get monitors of their own.
	envResident = "MONITOR_RESIDENT"
	// envIdle is how long a resident monitor stays when it has nothing to watch.
	envIdle = "MONITOR_IDLE"
)

// idleTime is how long a resident monitor stays when it has nothing to watch, unless
// MONITOR_IDLE says otherwise.
const idleTime = 10 * time.Second

// keeper returns what has the runtimes of a store watched: the resident monitor, or
// monitors of their own.
func (g *global) keeper(store *monitor.Store) (monitor.Keeper, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	self, err := process.Self()
	if err != nil {
		return nil, err
	}
	own := monitor.OwnMonitor{Command: func(name string) []string {
		return g.command(program, store, "--detach", "--owner", ownerWord(self), "--", name)
	}}
	client, err := g.client(store, own)
	if client == nil || err != nil {
		return own, err
	}
	return client, nil
}

// client returns the client of the store's resident monitor, or nil where there is to be
// none.
func (g *global) client(store *monitor.Store, own monitor.Keeper) (*resident.Client, error) {
	if g.alone || os.Getenv(envResident) == "no" {
		return nil, nil
	}
	idle, err := idleFromEnvironment()
	if err != nil {
		return nil, err
	}
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return &resident.Client{
		Store: store, Version: moduleVersion(), Own: own,
		Command: g.command(program, store, "--detach", "--idle", idle.String()),
		Tell:    func(text string) { fmt.Fprintf(os.Stderr, "monitor: %s\n", oneLine(errors.New(text))) },
	}, nil
}

// adoption is how long a command waits for the resident monitor to take over what it has
// found without a monitor.
const adoption = 2 * time.Second

// adopt has the resident monitor take over the runtimes that have no monitor. It reports
// whether that was done. Where it was not, they are shown as they are.
func (g *global) adopt(ctx context.Context, store *monitor.Store) bool {
	client, err := g.client(store, nil)
	if client == nil || err != nil {
		return false
	}
	limited, done := context.WithTimeout(ctx, adoption)
	defer done()
	_, err = client.Adopt(limited)
	return err == nil
}

func idleFromEnvironment() (time.Duration, error) {
	text := os.Getenv(envIdle)
	if text == "" {
		return idleTime, nil
	}
	idle, err := time.ParseDuration(text)
	if err != nil || idle < 0 {
		return 0, usageError("%s takes a time such as 10s, not %q", envIdle, text)
	}
	return idle, nil
}

// command returns the command line of a monitor.
func (g *global) command(program string, store *monitor.Store, how ...string) []string {
	return append([]string{program, "--store", store.Dir(), "--log-level", g.logLevel, "--log-format", g.logFormat, "serve"}, how...)
}

// A service is a resident monitor in the making.
type service struct {
	*global
	idle    time.Duration
	metrics string // the address of metrics, empty for none
}

// launch is the work of the first process of a detached monitor.
func (s *service) launch(args []string, owner string) error {
	store, err := s.open()
	if err != nil {
		return err
	}
	program, err := os.Executable()
	if err != nil {
		return err
	}
	how := []string{"--detached", "--idle", s.idle.String()}
	if len(args) > 0 {
		how = []string{"--detached", "--owner", owner, "--", args[0]}
	}
	return detach.Launch(s.command(program, store, how...))
}

// serve watches all runtimes of the store.
func (s *service) serve(how role) error {
	o := resident.Options{Idle: s.idle, Version: moduleVersion()}
	var refuse func(error)
	switch {
	case how.detached:
		waiting, err := detach.Arrive()
		if err != nil {
			return err
		}
		o.Lock, o.Ready, refuse = waiting.Passed, waiting.Ready, waiting.Refuse
		o.Guard = &resident.Pair{}
	case how.guarded:
		o.Guard = resident.Inherited()
	}
	err := s.serveAs(how, o)
	if err != nil && refuse != nil {
		refuse(err) // the starter has closed the pipe where the monitor was ready before
	}
	if errors.Is(err, resident.ErrServed) && how.guarded {
		return nil
	}
	return err
}

func (s *service) serveAs(how role, o resident.Options) (err error) {
	if err := s.settle(); err != nil {
		return err
	}
	if o.Store, err = s.open(); err != nil {
		return err
	}
	if o.Guard != nil {
		if o.Guard.Command, err = s.half(o.Store, "--guard"); err != nil {
			return err
		}
	}
	var out *resident.LogFile
	if how == (role{}) {
		o.Log, err = s.logger(os.Stderr)
	} else if out, err = resident.OpenLog(resident.LogPath(o.Store)); err == nil {
		o.Log, err = s.logger(out)
	}
	if err != nil {
		return err
	}
	o.RuntimeLog = func(r *monitor.Runtime) *slog.Logger {
		log, _ := s.logger(r.LogWriter()) // the flags were read above
		return log
	}
	ctx, stop := stopSignals()
	defer stop()
	if s.metrics != "" {
		m, err := s.serveMetrics(ctx, o.Store, o.Log)
		if err != nil && ctx.Err() != nil {
			o.Log.Info("stopped before anything was watched", "cause", context.Cause(ctx))
			return nil
		}
		if err != nil {
			return err
		}
		defer m.stop()
		o.Apart = []process.Identity{m.self}
	}
	return resident.Serve(ctx, o)
}

// guard is the work of the guard of a resident monitor.
func (s *service) guard() error {
	store, err := s.open()
	if err != nil {
		return err
	}
	out, err := resident.OpenLog(resident.LogPath(store))
	if err != nil {
		return err
	}
	log, err := s.logger(out)
	if err != nil {
		return err
	}
	start, err := s.half(store, "--guarded")
	if err != nil {
		return err
	}
	g := &resident.Guard{Store: store, Command: start, Log: log}
	return g.Run()
}

// half returns the command line of the other half of a pair, with the same choices. It
// runs the image of this program, also where its file was replaced.
func (s *service) half(store *monitor.Store, how string) (func() *exec.Cmd, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	argv := s.command(program, store, how, "--idle", s.idle.String())
	return func() *exec.Cmd {
		cmd := exec.Command(argv[0], argv[1:]...)
		if runtime.GOOS == "linux" {
			cmd.Path = "/proc/self/exe"
		}
		cmd.Stderr = os.Stderr
		detach.Outside(cmd)
		return cmd
	}, nil
}
