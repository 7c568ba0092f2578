package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"
)

// patience bounds every wait for something that should take milliseconds.
const patience = 10 * time.Second

// A peer learns, in its own way, that a leaf has ended.
type peer struct {
	name  string
	n     int           // samples to take
	start []string      // starts the leaf
	phase time.Duration // the peer's beat, if it polls: the kill falls anywhere in it
	arm   armer
	after func() error // waits for what the peer still does once it knows
}

// An armer makes ready to learn of the end of pid. The function it returns
// blocks until the end is known; it is called once.
type armer func(pid int) (wait func() error, err error)

// ends prints how long after the kill each peer knew. The peers take turns, so
// that a slow minute of the machine is a slow minute for all.
func (b bench) ends() error {
	peers := append([]peer{
		{name: exitNotice, n: b.fast, start: []string{"cat"}, arm: watchExit},
	}, slowPeers(b.slow)...)
	ours := len(peers)
	peers = append(peers, peer{name: "monitor: runtime gone", n: b.fast})
	times := make([]samples, len(peers))
	for i := range b.fast {
		for k, p := range peers {
			if i%(b.fast/p.n) != 0 {
				continue
			}
			if k == ours {
				p = b.ourPeer(fmt.Sprintf("end%d", i))
			}
			t, err := p.once()
			if err != nil {
				return fmt.Errorf("%s: %w", p.name, err)
			}
			times[k] = append(times[k], t)
		}
	}
	head("last exit, until known", "ratio")
	for k, p := range peers {
		row(p.name, times[k], times[0])
	}
	return nil
}

// once starts a leaf, kills it, and returns how long the peer took to know.
func (p peer) once() (time.Duration, error) {
	l, err := startLeaf(p.start...)
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
	if p.phase > 0 {
		time.Sleep(rand.N(p.phase)) // samples the beat; nothing is waited for
	}
	killed := l.end()
	if err := <-done; err != nil {
		return 0, err
	}
	if p.after != nil {
		err = p.after()
	}
	return known.Sub(killed), err
}

// ourPeer runs the leaf in a runtime and knows when its directory has gone.
func (b bench) ourPeer(name string) peer {
	var ended func() error
	return peer{
		name:  "monitor: runtime gone",
		start: []string{b.monitor, "run", "--name", name, "--", "cat"},
		arm: func(int) (func() error, error) {
			monitor, err := b.monitorOf(name)
			if err != nil {
				return nil, err
			}
			if ended, err = watchExit(monitor); err != nil {
				return nil, err
			}
			return watchGone(b.runtimeDir(name))
		},
		// The monitor ends a moment after the runtime has gone. Waiting for that
		// keeps its last work out of the next peer's sample.
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
		return 0, errors.New("the record names no monitor")
	}
	return record.Monitor.PID, nil
}

// gone waits until the runtime's directory is gone, which it may be already.
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
