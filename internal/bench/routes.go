//go:build darwin || linux

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gemini-monitor/gemini/tracker"
	"github.com/gemini-monitor/gemini/tracker/process"
	"github.com/gemini-monitor/gemini/tracker/router"
)

// A routed tree is a perl process with a line of descendants, the last of which asks. It
// forks as fast as it is told to.
const routedScript = `
	my ($depth, $rate) = @ARGV;
	$| = 1;
	sub line { my $left = $_[0]; my $pid = fork; die unless defined $pid; return if $pid;
		line($left - 1) if $left; print "$$\n" unless $left; sleep 1 while getppid != 1; exit }
	line($depth - 1);
	my $stop = ""; vec($stop, fileno STDIN, 1) = 1;
	until (select my $ready = $stop, undef, undef, 0.005) {
		for (1 .. $rate / 200) { my $pid = fork; exit unless $pid }
		1 while waitpid(-1, 1) > 0;
	}
	kill 9, -$$;
`

// routedDepth is how far below the root the process is that asks.
const routedDepth = 6

type routed struct {
	cmd    *exec.Cmd
	close  func() error
	caller int
}

// startRouted starts a routed tree that forks some times in a second.
func startRouted(rate int) (*routed, error) {
	cmd := exec.Command("perl", "-e", "setpgrp;"+routedScript, strconv.Itoa(routedDepth), strconv.Itoa(rate))
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err == nil {
		var pid int
		pid, err = strconv.Atoi(strings.TrimSpace(line))
		return &routed{cmd, in.Close, pid}, err
	}
	return nil, errors.Join(err, in.Close(), cmd.Wait())
}

func (r *routed) end() {
	_ = r.close()
	_ = r.cmd.Wait()
}

// routes prints what a look-up by PID costs, idle and while the trees fork.
func (b bench) routes(ctx context.Context) error {
	if _, err := exec.LookPath("perl"); err != nil {
		fmt.Println("a look-up by PID: perl is not installed")
		return nil
	}
	for _, rate := range []int{0, 2000} {
		if err := b.routesAt(ctx, rate); err != nil {
			return err
		}
	}
	return b.asked(ctx)
}

// routesAt does so while two trees make so many processes in a second.
func (b bench) routesAt(ctx context.Context, rate int) error {
	t, err := tracker.New(tracker.Options{})
	if err != nil {
		return err
	}
	defer t.Close()
	guarded, err := router.New(t, router.Options[int]{})
	if err != nil {
		return err
	}
	defer guarded.Close()
	unguarded, err := router.New(t, router.Options[int]{Unguarded: true})
	if err != nil {
		return err
	}
	defer unguarded.Close()
	var callers []int
	for i := range 2 {
		one, err := startRouted(rate / 2)
		if err != nil {
			return err
		}
		defer one.end()
		id, err := process.Lookup(one.cmd.Process.Pid)
		if err != nil {
			return err
		}
		route, err := guarded.Register(ctx, id.Identity, i+1)
		if err != nil {
			return err
		}
		if _, err := unguarded.Attach(route.Tree(), i+1); err != nil {
			return err
		}
		callers = append(callers, one.caller)
	}
	before, err := births()
	if err != nil {
		return err
	}
	begin := time.Now()
	times, err := b.lookUps(ctx, t, guarded, unguarded, callers)
	if err != nil {
		return err
	}
	after, err := births()
	if err != nil {
		return err
	}
	fmt.Printf("a look-up by PID, with %.0f forks/s (by %s)\n", float64(after-before)/time.Since(begin).Seconds(), t.Capabilities().Mechanism)
	fmt.Printf("  %-46s %8s %10s %10s %10s\n", "", "n", "median", "p99", "max")
	for _, one := range times {
		fmt.Printf("  %-46s %8d %10s %10s %10s\n", one.name, len(one.samples), one.median(), one.quantile(0.99), slices.Max(one.samples))
	}
	return nil
}

type named struct {
	name string
	samples
}

// lookUps times each way to find the tree of a process, one call after the other. The clock
// is in all of them.
func (b bench) lookUps(ctx context.Context, t *tracker.Tracker, guarded, unguarded *router.Router[int], callers []int) ([]named, error) {
	const hits, misses = 1000, 10
	pid := callers[0]
	var wrong error
	narrow, err := router.New(t, router.Options[int]{Guards: 1})
	if err != nil {
		return nil, err
	}
	defer narrow.Close()
	turn := 0
	right := func(v int, ok bool) {
		if v != 1 || !ok {
			wrong = fmt.Errorf("process %d is of the route %d, %v", pid, v, ok)
		}
	}
	ways := []struct {
		name string
		n    int
		look func()
	}{
		{"(reading the clock)", hits * b.fast, func() {}},
		{"TreeOf of the tracker", hits * b.fast, func() { t.TreeOf(pid) }},
		{"router, unguarded", hits * b.fast, func() { right(unguarded.Of(pid)) }},
		{"router", hits * b.fast, func() { right(guarded.Of(pid)) }},
		{"router, of two that cannot both be remembered", misses * b.fast, func() { narrow.Of(callers[turn%2]); turn++ }},
		{"walk up the ancestors, as spfs does", misses * b.fast, func() { _, wrong = process.Ancestors(pid) }},
	}
	var all []named
	for _, way := range ways {
		times := make(samples, 0, way.n)
		for range way.n {
			begin := time.Now()
			way.look()
			times = append(times, time.Since(begin))
		}
		if err := errors.Join(wrong, ctx.Err()); err != nil {
			return nil, err
		}
		all = append(all, named{way.name, times})
	}
	return all, nil
}
