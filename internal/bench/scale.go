//go:build darwin || linux

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/gemini-monitor/gemini/internal/room"
)

// scale prints what it costs to follow many trees with many members, for the tracker and
// for followers that poll the table. Each follower gets a new crowd.
func (b bench) scale(ctx context.Context) error {
	members, err := room.Processes(b.members)
	if err != nil {
		return err
	}
	b.members, b.trees = members, max(1, min(b.trees, members/5))
	fmt.Printf("%d trees of %d processes, and storms of %d forks\n", b.trees, b.members/b.trees, storm)
	fmt.Printf("%-34s %9s %9s %9s %11s %11s %10s %10s\n", "", "begins", "a member", "idle", "storm out", "storm in", "knows", "at worst")
	ours := followerKind{name: "tracker", words: []string{b.self, "-follow", "tracker"}}
	scan := followerKind{name: "a table read every 0.1 s", words: []string{b.self, "-follow", "scan"}}
	for _, kind := range []followerKind{ours, scan, {name: "gopsutil, one tree, every 0.1 s", words: []string{b.gopsutil}, few: true}} {
		if kind.words[0] == "" {
			fmt.Printf("%-34s (not built: -gopsutil)\n", kind.name)
			continue
		}
		if err := b.scaleOf(ctx, kind); err != nil {
			return fmt.Errorf("%s: %w", kind.name, err)
		}
	}
	fmt.Println("begins: from its start until all are followed; idle: share of one processor; storm: processor time")
	fmt.Println("for 1,000 forks outside and inside of the trees; knows: from the last exit of a tree, in the second storm")
	return nil
}

type followerKind struct {
	name  string
	words []string
	few   bool // it follows one tree only: more would take minutes
}

const (
	storm     = 10_000 // forks
	idleShare = 5 * time.Second
	ended     = 20 // trees that end while their follower is measured
)

func (b bench) scaleOf(ctx context.Context, kind followerKind) error {
	crowd, err := newCrowd(ctx, b.trees, b.members/b.trees)
	defer crowd.end()
	if err != nil {
		return err
	}
	followed := crowd.trees
	if kind.few {
		followed = followed[:1]
	}
	begin := time.Now()
	f, err := newFollower(kind.words, append([]*gated{crowd.storm}, followed...))
	if err != nil {
		return err
	}
	defer f.end()
	begins := time.Since(begin)
	var memory int
	idle, _, err := f.cost(func() error { return elapse(ctx, idleShare) }) // the time that is measured
	if err != nil {
		return err
	}
	outside, memory, err := f.cost(func() error { return exec.CommandContext(ctx, "sh", "-c", stormScript).Run() })
	if err != nil {
		return err
	}
	var times samples
	inside, _, err := f.cost(func() error {
		crowd.storm.open()
		for _, tree := range followed[:min(ended, len(followed))] {
			if err := ctx.Err(); err != nil {
				return err
			}
			t, err := f.latency(tree)
			if err != nil {
				return err
			}
			times = append(times, t)
		}
		return crowd.storm.await()
	})
	if err != nil {
		return err
	}
	memberSize := "-"
	if memory > 0 {
		memberSize = fmt.Sprintf("%d B", memory/b.members)
	}
	perThousand := func(d time.Duration) string { return ms(d * 1000 / storm) }
	fmt.Printf("%-34s %9s %9s %8.2f%% %11s %11s %10s %10s\n", kind.name, ms(begins), memberSize,
		100*idle.Seconds()/idleShare.Seconds(), perThousand(outside), perThousand(inside), ms(times.median()), ms(times.quantile(1)))
	return nil
}

// stormScript forks as fast as a shell can, one child at a time.
var stormScript = fmt.Sprintf("i=0; while [ $i -lt %d ]; do (:) & wait; i=$((i+1)); done", storm)

// A crowd is many trees of idle processes, and one tree for the storm.
type crowd struct {
	trees []*gated
	storm *gated
}

func newCrowd(ctx context.Context, trees, size int) (c crowd, err error) {
	script := fmt.Sprintf("i=1; while [ $i -lt %d ]; do read x <&3 & i=$((i+1)); done; echo ready; wait", size)
	for range trees {
		if err := ctx.Err(); err != nil {
			return c, err
		}
		g, err := newGated(script)
		if err != nil {
			return c, err
		}
		c.trees = append(c.trees, g)
	}
	c.storm, err = newGated("echo ready; read x <&3; " + stormScript + "; echo done")
	return c, err
}

func (c crowd) end() {
	if c.storm != nil {
		c.storm.cmd.Process.Kill() // without the kill it would run its storm first
	}
	for _, g := range append(c.trees, c.storm) {
		if g != nil {
			g.open()
			g.cmd.Wait()
		}
	}
}

// A gated is a tree of processes that wait at a gate.
type gated struct {
	cmd  *exec.Cmd
	gate *os.File
	out  *bufio.Reader
}

// newGated starts a script and returns when it has printed "ready".
func newGated(script string) (*gated, error) {
	waits, gate, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer waits.Close()
	g := &gated{cmd: exec.Command("sh", "-c", script), gate: gate}
	g.cmd.ExtraFiles = []*os.File{waits}
	out, err := g.cmd.StdoutPipe()
	if err == nil {
		err = g.cmd.Start()
	}
	if err != nil {
		return nil, errors.Join(err, gate.Close())
	}
	g.out = bufio.NewReader(out)
	return g, g.await()
}

func (g *gated) open() { g.gate.Close() }

// await waits until the script has printed one more line.
func (g *gated) await() error {
	_, err := g.out.ReadString('\n')
	return err
}

// A follower is a process that follows trees, as the bench uses it.
type follower struct {
	cmd *exec.Cmd
	in  io.Writer
	out *bufio.Scanner
}

func newFollower(words []string, trees []*gated) (*follower, error) {
	for _, g := range trees {
		words = append(words, strconv.Itoa(g.cmd.Process.Pid))
	}
	f := &follower{cmd: exec.Command(words[0], words[1:]...)}
	f.cmd.Stderr = os.Stderr
	var err error
	if f.in, err = f.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := f.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	f.out = bufio.NewScanner(out)
	if err := f.cmd.Start(); err != nil {
		return nil, err
	}
	if _, err := f.await("ready"); err != nil {
		f.end()
		return nil, err
	}
	return f, nil
}

func (f *follower) end() {
	f.cmd.Process.Kill()
	f.cmd.Wait()
}

// await returns the words of the next line that begins with a word. It drops other lines:
// they are about trees that are no longer measured.
func (f *follower) await(word string) ([]string, error) {
	for f.out.Scan() {
		if words := strings.Fields(f.out.Text()); len(words) > 0 && words[0] == word {
			return words, nil
		}
	}
	return nil, fmt.Errorf("the follower ended without %q: %w", word, f.out.Err())
}

// cost returns the processor time that the follower uses while a function runs, and its
// memory afterwards.
func (f *follower) cost(while func() error) (used time.Duration, memory int, err error) {
	before, _, err := f.used()
	if err != nil {
		return 0, 0, err
	}
	if err := while(); err != nil {
		return 0, 0, err
	}
	after, memory, err := f.used()
	return after - before, memory, err
}

// used returns the processor time and the memory of the follower so far.
func (f *follower) used() (used time.Duration, memory int, err error) {
	if _, err := io.WriteString(f.in, "\n"); err != nil {
		return 0, 0, err
	}
	words, err := f.await("cost")
	if err != nil {
		return 0, 0, err
	}
	n, err := numbers(words[1:])
	if err != nil || len(n) != 2 {
		return 0, 0, fmt.Errorf("the follower printed %q: %w", words, err)
	}
	return time.Duration(n[0]) * time.Microsecond, n[1], nil
}

// latency ends a tree and returns the time from the end of its last process until the
// follower has printed it.
func (f *follower) latency(tree *gated) (time.Duration, error) {
	tree.open()
	_, err := io.Copy(io.Discard, tree.out) // the pipe ends with the last process
	gone := time.Now()
	tree.cmd.Wait()
	if err != nil {
		return 0, err
	}
	_, err = f.await(strconv.Itoa(tree.cmd.Process.Pid))
	return time.Since(gone), err
}
