// Monitor-metrics serves the metrics of a store of runtimes to Prometheus.
//
// It asks the resident monitor of the store, and reads the files of the store, at each
// scrape. It starts no monitor and changes nothing. "monitor serve --metrics" starts it; it
// is a program of its own, because what it is made of would slow down each start of
// "monitor run".
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/gemini-monitor/gemini/monitor"
	"github.com/gemini-monitor/gemini/monitor/resident"
)

// Exit codes, which are those of monitor.
const (
	exitFailed = 1
	exitUsage  = 2
)

var errUsage = errors.New("wrong usage")

// Choices are what the command line asks for.
type choices struct {
	store   *monitor.Store
	address string
	log     *slog.Logger
	// child is set where "monitor serve" has started this program. It ends when standard
	// input ends, and has its answer on standard output.
	child bool
}

func main() {
	c, err := choose(os.Args[1:])
	if err == nil {
		err = c.run()
	}
	if err == nil || errors.Is(err, flag.ErrHelp) {
		return
	}
	text := strings.ReplaceAll(err.Error(), "\n", "; ")
	if c.child {
		fmt.Println(refused, text)
	} else {
		fmt.Fprintln(os.Stderr, "monitor-metrics:", text)
	}
	if errors.Is(err, errUsage) {
		os.Exit(exitUsage)
	}
	os.Exit(exitFailed)
}

// choose reads the command line.
func choose(args []string) (c choices, err error) {
	var dir, level, format string
	flags := flag.NewFlagSet("monitor-metrics", flag.ContinueOnError)
	flags.StringVar(&dir, "store", os.Getenv(monitor.EnvStore), "the directory of the runtimes (default $MONITOR_STORE, else the user's state directory)")
	flags.StringVar(&c.address, "listen", "0", "where to serve /metrics: PORT on this machine alone, else HOST:PORT; port 0 is a free one")
	flags.StringVar(&level, "log-level", "info", "how much to log: debug, info, warn or error")
	flags.StringVar(&format, "log-format", "text", "how to log: text or json")
	flags.BoolVar(&c.child, "child", false, "be the child of monitor serve: end when standard input ends, and answer on standard output")
	flags.SetOutput(io.Discard)
	if err = flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		flags.SetOutput(os.Stdout)
		flags.Usage()
		return c, err
	}
	if err == nil && flags.NArg() > 0 {
		err = fmt.Errorf("there is no argument %q", flags.Arg(0))
	}
	if err != nil {
		return c, fmt.Errorf("%w: %w", errUsage, err)
	}
	if c.address, err = resident.MetricsAddress(c.address); err != nil {
		return c, fmt.Errorf("%w: -listen %w", errUsage, err)
	}
	if c.log, err = logger(os.Stderr, level, format); err != nil {
		return c, err
	}
	if dir == "" {
		if dir, err = monitor.DefaultDir(); err != nil {
			return c, err
		}
	}
	c.store, err = monitor.Open(dir)
	return c, err
}

func logger(out io.Writer, level, format string) (*slog.Logger, error) {
	var o slog.HandlerOptions
	var least slog.Level
	if err := least.UnmarshalText([]byte(level)); err != nil {
		return nil, fmt.Errorf("%w: -log-level takes debug, info, warn or error, not %q", errUsage, level)
	}
	o.Level = least
	switch format {
	case "text":
		return slog.New(slog.NewTextHandler(out, &o)), nil
	case "json":
		return slog.New(slog.NewJSONHandler(out, &o)), nil
	}
	return nil, fmt.Errorf("%w: -log-format takes text or json, not %q", errUsage, format)
}

// run serves until a signal comes, or the parent has ended.
func (c choices) run() error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if !c.child {
		return serve(ctx, c.store, c.address, c.log, func(where string) {
			c.log.Info("serving", "store", c.store.Dir(), "address", where)
		})
	}
	ctx, end := context.WithCancel(ctx)
	defer end()
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin) // only the parent holds the other end
		end()
	}()
	return serve(ctx, c.store, c.address, c.log, func(where string) { fmt.Println(ready, where) })
}

// The answers to the parent: a word, and the address or the reason.
const (
	ready   = "ready"
	refused = "error"
)
