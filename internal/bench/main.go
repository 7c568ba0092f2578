// Bench measures the monitor beside other ways to learn that a process has ended, in one
// run on one machine: the ratios hold on other machines, the times do not.
//
//	go run ./internal/bench -monitor bin/monitor          about five minutes
//	go run ./internal/bench -monitor bin/monitor -long    ten times the samples
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// A bench is one run: the program under test, a store of its own, and the numbers of
// samples.
type bench struct {
	monitor string // path of the command under test
	store   string
	fast    int           // samples of a peer that knows within milliseconds
	slow    int           // samples of a peer that polls
	idle    time.Duration // how long the idle monitor is observed

	part           string // the only one to run, or "" for all
	self, gopsutil string // paths of followers
	trees, members int    // of the crowd
	runtimes       int    // of one resident monitor
}

func main() {
	monitor := flag.String("monitor", "bin/monitor", "the command under test")
	long := flag.Bool("long", false, "ten times the samples, a longer idle time")
	gopsutil := flag.String("gopsutil", "", "the follower that uses gopsutil, a program of its own")
	trees := flag.Int("trees", 200, "trees of the crowd")
	members := flag.Int("members", 10_000, "processes of the crowd")
	runtimes := flag.Int("runtimes", 1000, "runtimes of one resident monitor")
	part := flag.String("part", "", "run only this: ends, starts, idles, agents, resident, router or scale")
	kind := flag.String("follow", "", "be a follower (tracker or scan) of the roots that are given")
	service := flag.String("ask", "", "ask the service at this socket, and become the command that is given")
	flag.Parse()
	if *kind != "" {
		end(followAs(*kind, flag.Args()))
		return
	}
	if *service != "" {
		end(askAndBecome(*service, flag.Args()))
		return
	}
	self, err := os.Executable()
	end(err)
	b := bench{part: *part, self: self, gopsutil: *gopsutil, trees: *trees, members: *members, runtimes: *runtimes}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the bench at once, without clean-up
	err = b.run(ctx, *monitor, *long)
	if ctx.Err() != nil {
		fmt.Fprintln(os.Stderr, "bench: interrupted")
		os.Exit(130)
	}
	end(err)
}

func end(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func (b bench) run(ctx context.Context, monitor string, long bool) error {
	path, err := filepath.Abs(monitor)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	b.monitor, b.store = path, filepath.Join(dir, "store")
	b.fast, b.slow, b.idle = 200, 10, 20*time.Second
	if long {
		b.fast, b.slow, b.idle = 2000, 100, 2*time.Minute
	}
	os.Setenv("MONITOR_STORE", b.store)
	os.Setenv("MONITOR_IDLE", "1h") // each part ends the resident monitor itself
	os.Unsetenv("MONITOR_RESIDENT")
	os.Unsetenv("MONITOR_RUNTIME") // the bench may itself run in a runtime
	fmt.Println(fingerprint())
	for _, part := range []struct {
		name string
		run  func(context.Context) error
	}{{"ends", b.ends}, {"starts", b.starts}, {"idles", b.idles}, {"agents", b.agents}, {"resident", b.residents}, {"router", b.routes}, {"scale", b.scale}} {
		if b.part != "" && b.part != part.name {
			continue
		}
		fmt.Println()
		if err := part.run(ctx); err != nil {
			return err
		}
	}
	return nil
}

// elapse returns after d, or when ctx ends.
func elapse(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// fingerprint describes the machine and its load.
func fingerprint() string {
	kernel, err := exec.Command("uname", "-srm").Output()
	if err != nil {
		kernel = []byte(runtime.GOOS + "/" + runtime.GOARCH)
	}
	return fmt.Sprintf("%s, %d x %s, %s, load %s", strings.TrimSpace(string(kernel)), runtime.NumCPU(), processor(),
		runtime.Version(), load())
}
