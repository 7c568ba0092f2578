package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"
)

// patience bounds each wait for something that takes milliseconds.
const patience = 10 * time.Second

// rest is how long a leaf lives before it is killed, so that its start is not measured
// with its end.
const rest = 50 * time.Millisecond

// A peer learns, in its own way, that a leaf has ended.
type peer struct {
	name  string
	n     int             // samples to take
	start func() []string // the words that start a leaf
	rest  time.Duration   // how long the leaf lives at least
	phase time.Duration   // the peer's beat, if it polls: the kill falls anywhere in it
	arm   armer
	after func() error // nil, or waits for what the peer does after it knows
}

// An armer prepares to learn of the end of pid. The function that it returns blocks until
// the end is known, and is called once.
type armer func(pid int) (wait func() error, err error)

// bare returns the words that start a leaf without a runtime.
func bare() []string { return []string{"cat"} }

// ends prints how long after the kill each peer knew. The peers take turns, so that a slow
// minute of the machine slows all of them.
func (b bench) ends(ctx context.Context) (err error) {
	defer func() { err = errors.Join(err, endResident(b.store)) }()
	peers := []peer{{name: exitNotice, n: b.fast, start: bare, rest: rest, arm: watchExit}}
	peers = append(peers, slowPeers(b.slow)...)
	peers = append(peers, b.ours("monitor: runtime gone", rest), b.ours("the same, killed at its start", 0))
	peers = append(peers, b.ours("the same with --no-resident", rest, "--no-resident"))
	times, err := b.takeTurns(ctx, peers)
	if err != nil {
		return err
	}
	head("last exit, until known", "ratio")
	for k, p := range peers {
		row(p.name, times[k], times[0])
	}
	return nil
}

// takeTurns returns the samples of each peer.
func (b bench) takeTurns(ctx context.Context, peers []peer) ([]samples, error) {
	times := make([]samples, len(peers))
	for i := range b.fast {
		for k, p := range peers {
			if i%(b.fast/p.n) != 0 {
				continue
			}
			t, err := p.once(ctx)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", p.name, err)
			}
			times[k] = append(times[k], t)
		}
	}
	return times, nil
}

// once starts a leaf, kills it, and returns how long the peer took to know.
func (p peer) once(ctx context.Context) (time.Duration, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	l, err := startLeaf(p.start()...)
	if err != nil {
		return 0, err
	}
	defer l.end()
	wait, err := p.arm(l.pid())
	if err != nil {
		return 0, err
	}
	var known time.Time
	done := make(chan error, 1)
	go func() {
		err := wait()
		known = time.Now()
		done <- err
	}()
	time.Sleep(p.rest + rand.N(p.phase+1)) // a random phase of the beat
	killed := l.end()
	if err := <-done; err != nil {
		return 0, err
	}
	if p.after != nil {
		err = p.after()
	}
	return known.Sub(killed), err
}

// ours returns the peer that runs each leaf in a runtime and knows of its end when the
// directory has gone.
func (b bench) ours(name string, rest time.Duration, flags ...string) peer {
	var count int
	var runtime string
	ended := func() error { return nil }
	return peer{
		name: name, n: b.fast, rest: rest,
		start: func() []string {
			count++
			runtime = fmt.Sprintf("end-%d-%d-%d", len(flags), rest.Milliseconds(), count)
			return append(append([]string{b.monitor, "run", "--name", runtime}, flags...), "--", "cat")
		},
		arm: func(int) (func() error, error) {
			if len(flags) > 0 {
				monitor, err := b.monitorOf(runtime)
				if err != nil {
					return nil, err
				}
				if ended, err = watchExit(monitor); err != nil {
					return nil, err
				}
			}
			return watchGone(b.runtimeDir(runtime))
		},
		// A monitor of its own ends after it has removed the runtime. The wait keeps that
		// out of the sample of the next peer.
		after: func() error { return ended() },
	}
}

func (b bench) runtimeDir(name string) string { return filepath.Join(b.store, "runtimes", name) }

// monitorOf returns the PID of the monitor that the runtime's record names.
func (b bench) monitorOf(name string) (int, error) {
	text, err := os.ReadFile(filepath.Join(b.runtimeDir(name), "runtime.json"))
	if err != nil {
		return 0, err
	}
	var record struct {
		Monitor struct {
			PID int `json:"pid"`
		} `json:"monitor"`
	}
	if err := json.Unmarshal(text, &record); err != nil {
		return 0, err
	}
	if record.Monitor.PID <= 0 {
		return 0, errors.New("the record has no monitor")
	}
	return record.Monitor.PID, nil
}

// gone waits until the directory of the runtime has gone.
func (b bench) gone(name string) error {
	wait, err := watchGone(b.runtimeDir(name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return wait()
}
