//go:build darwin || linux

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"time"

	"github.com/gemini-monitor/gemini/internal/room"
)

// rounds is how often a herd is started.
const rounds = 3

// residents prints what it costs to watch many runtimes of one store.
func (b bench) residents(ctx context.Context) (err error) {
	most, err := room.Processes(2 * b.runtimes) // a command and, for a moment, its run
	if err != nil {
		return err
	}
	b.runtimes = min(b.runtimes, most/2)
	defer func() { err = errors.Join(err, endResident(b.store)) }()
	if err := endResident(b.store); err != nil {
		return err
	}
	c := &forkCosts{}
	if err := c.measure(ctx, "none of ours"); err != nil {
		return err
	}
	for _, n := range slices.Compact([]int{min(100, b.runtimes), b.runtimes}) {
		if err := b.herds(ctx, n); err != nil {
			return err
		}
		fmt.Println()
	}
	if err := b.crowded(ctx, 1, c); err != nil {
		return err
	}
	if err := b.crowded(ctx, b.runtimes, c); err != nil {
		return err
	}
	if err := endResident(b.store); err != nil {
		return err
	}
	if err := b.ownMonitors(ctx, min(ownMost, b.runtimes), c); err != nil {
		return err
	}
	if err := c.measure(ctx, "none of ours, again"); err != nil {
		return err
	}
	c.print()
	return nil
}

// ownMost is how many runtimes with monitors of their own are started. Of 300 only 128
// were, where each had an inotify instance.
const ownMost = 100

// herds prints how long it takes until many commands are up, started at once, and until
// many runtimes have gone, whose commands are killed at once.
func (b bench) herds(ctx context.Context, n int) error {
	idler, err := b.idler()
	if err != nil {
		return err
	}
	kinds := []struct {
		name  string
		words func(int) []string
		times samples
	}{
		{name: "monitor --version", words: func(int) []string { return []string{b.monitor, "--version"} }},
		{name: "cat", words: func(int) []string { return idler }},
		{name: "monitor run -- cat", words: b.inRuntime("herd", idler)},
		{name: "the same with --no-resident", words: b.inRuntime("own", idler, "--no-resident")},
	}
	if n > ownMost {
		kinds = kinds[:3]
	}
	if err := b.warm(); err != nil {
		return err
	}
	var gone samples
	for range rounds {
		for i := range kinds {
			k := &kinds[i]
			h, err := newHerd(ctx, n, k.words)
			if err != nil {
				return fmt.Errorf("%s: %w", k.name, err)
			}
			k.times = append(k.times, h.took)
			killed := h.kill()
			if i >= 2 {
				err = b.awaitNone()
			}
			if i == 2 {
				gone = append(gone, time.Since(killed))
			}
			h.reap()
			if err != nil {
				return err
			}
		}
	}
	head(fmt.Sprintf("%d at once, until the last is up", n), "ratio")
	for _, k := range kinds {
		row(k.name, k.times, kinds[0].times)
	}
	row(fmt.Sprintf("%d kills, until all are gone", n), gone, gone)
	return nil
}

// inRuntime returns the words that start a command in a runtime of its own.
func (b bench) inRuntime(name string, command []string, flags ...string) func(int) []string {
	return func(i int) []string {
		words := append([]string{b.monitor, "run"}, flags...)
		return append(append(words, "--name", fmt.Sprintf("%s%d", name, i), "--"), command...)
	}
}

// warm starts the resident monitor.
func (b bench) warm() error {
	if _, err := clock(b.monitor, "run", "--name", "warm", "--", "true"); err != nil {
		return err
	}
	return b.gone("warm")
}

// crowded prints what a resident monitor of n idle runtimes needs, and how soon the end of
// one more is known beside them.
func (b bench) crowded(ctx context.Context, n int, c *forkCosts) error {
	idler, err := b.idler()
	if err != nil {
		return err
	}
	h, err := newHerd(ctx, n, b.inRuntime("idle", idler))
	if err != nil {
		return err
	}
	defer h.reap()
	if err := elapse(ctx, time.Second); err != nil { // not measured: the rest of the start
		return err
	}
	pid, err := residentOf(b.store)
	if err != nil {
		return err
	}
	memory, err := resident(pid)
	if err != nil {
		return err
	}
	fmt.Printf("a resident monitor of %d idle runtimes\n  resident memory    %s\n", n, memory)
	if err := b.wakes(ctx, pid); err != nil {
		return err
	}
	if err := c.measure(ctx, fmt.Sprintf("%d idle runtimes", n)); err != nil {
		return err
	}
	if err := b.endsBeside(ctx, fmt.Sprintf("last exit, beside %d runtimes", n)); err != nil {
		return err
	}
	stop, err := forkSteadily()
	if err != nil {
		return err
	}
	err = b.endsBeside(ctx, "the same, at 1,000 forks a second")
	stop()
	h.kill()
	fmt.Println()
	return errors.Join(err, b.awaitNone())
}

// endsBeside prints how soon the end of a runtime is known, beside a bare notice.
func (b bench) endsBeside(ctx context.Context, title string) error {
	peers := []peer{{name: exitNotice, n: b.fast, start: bare, rest: rest, arm: watchExit}, b.ours("monitor: runtime gone", rest)}
	times, err := b.takeTurns(ctx, peers)
	if err != nil {
		return err
	}
	head(title, "ratio")
	for k, p := range peers {
		row(p.name, times[k], times[0])
	}
	return nil
}

// ownMonitors measures a fork while runtimes have monitors of their own.
func (b bench) ownMonitors(ctx context.Context, n int, c *forkCosts) error {
	idler, err := b.idler()
	if err != nil {
		return err
	}
	h, err := newHerd(ctx, n, b.inRuntime("own", idler, "--no-resident"))
	if err != nil {
		return err
	}
	defer h.reap()
	err = c.measure(ctx, fmt.Sprintf("%d with --no-resident", n))
	h.kill()
	return errors.Join(err, b.awaitNone())
}

// forkCosts are what a fork costs that has nothing to do with any runtime.
type forkCosts struct {
	names []string
	times []samples
}

// forks is how many forks a sample has.
const forks = 500

func (c *forkCosts) measure(ctx context.Context, name string) error {
	script := fmt.Sprintf("i=0; while [ $i -lt %d ]; do (:) & wait; i=$((i+1)); done", forks)
	var s samples
	for range 20 {
		begin := time.Now()
		if err := exec.CommandContext(ctx, "sh", "-c", script).Run(); err != nil {
			return errors.Join(err, ctx.Err())
		}
		s = append(s, time.Since(begin)/forks)
	}
	c.names, c.times = append(c.names, name), append(c.times, s)
	return nil
}

// print prints the fastest samples too: other programs of the machine add to the others.
func (c *forkCosts) print() {
	fmt.Printf("%-34s %6s %10s %10s %9s %9s\n", "a fork elsewhere, by a shell", "n", "least", "median", "ratio", "ratio")
	for i, s := range c.times {
		least, first := slices.Min(s), slices.Min(c.times[0])
		fmt.Printf("%-34s %6d %10s %10s %8.2fx %8.2fx\n", c.names[i], len(s)*forks, ms(least), ms(s.median()),
			float64(least)/float64(first), float64(s.median())/float64(c.times[0].median()))
	}
}

// forkSteadily begins to fork 1,000 times a second, in a shell. The function that it
// returns ends that.
func forkSteadily() (stop func(), err error) {
	cmd := exec.Command("sh", "-c", "while read -r x; do (:) & wait; done")
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		return nil, err
	}
	end := make(chan struct{})
	go func() {
		beat := time.NewTicker(time.Millisecond)
		defer beat.Stop()
		defer in.Close()
		for {
			select {
			case <-beat.C:
				if _, err := in.Write([]byte("\n")); err != nil {
					return
				}
			case <-end:
				return
			}
		}
	}()
	return func() {
		close(end)
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}, nil
}
