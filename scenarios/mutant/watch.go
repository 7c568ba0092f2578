//go:build darwin || linux

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/gemini-monitor/gemini/tracker"
	"github.com/gemini-monitor/gemini/tracker/process"
)

// A watch is what a mutant has to find out with whether a runtime is empty.
type watch struct {
	root    process.Process // the owner
	lease   *os.File        // opened by itself, so that it can ask for the lock
	watcher *tracker.Watcher
}

func newWatch(runtime string, owner int) (*watch, error) {
	lease, err := os.OpenFile(leasePath(runtime), os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	watcher, err := tracker.NewWatcher()
	if err != nil {
		return nil, err
	}
	if err := watcher.Add(owner); err != nil {
		return nil, fmt.Errorf("watch the owner: %w", err)
	}
	root, err := process.Lookup(owner)
	return &watch{root, lease, watcher}, err
}

// A choice picks, of all live processes, those that a mutant takes for members.
// It is asked again and again, and may remember.
type choice func(live []process.Process) []process.Process

// follow returns when nobody is chosen any more. It looks whenever something
// has happened to one of the chosen.
func (w *watch) follow(choose choice) error {
	added := map[process.Identity]bool{w.root.Identity: true}
	for {
		live, err := living()
		if err != nil {
			return err
		}
		chosen := choose(live)
		if len(chosen) == 0 {
			return nil
		}
		settled := true
		for _, p := range chosen {
			if added[p.Identity] {
				continue
			}
			// What happened before the watch began shows in the next read only.
			added[p.Identity], settled = true, false
			if err := w.watcher.Add(p.PID); err != nil && !errors.Is(err, process.ErrGone) {
				return err
			}
		}
		if !settled {
			continue
		}
		if err := w.awaitNotice(); err != nil {
			return err
		}
	}
}

// awaitNotice waits until something has happened to one of those added, and
// where the kernel tells of no forks, some milliseconds at most.
func (w *watch) awaitNotice() error {
	ctx, cancel := context.Background(), context.CancelFunc(func() {})
	if w.watcher.Forks() == process.ForksUnseen {
		ctx, cancel = context.WithTimeout(ctx, 20*time.Millisecond)
	}
	defer cancel()
	if _, err := w.watcher.Next(ctx); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return nil
}

// poll is follow for those who look at a beat and are told nothing.
func (w *watch) poll(beat time.Duration, choose choice) error {
	for ; ; time.Sleep(beat) { // the beat is the fault
		live, err := living()
		if err != nil {
			return err
		}
		if len(choose(live)) == 0 {
			return nil
		}
	}
}

// living is the process table without the dead, and without this process: one
// mutant is in the group that it watches.
func living() ([]process.Process, error) {
	table, err := process.Table()
	var live []process.Process
	for _, p := range table {
		if p.State != process.Zombie && p.PID != os.Getpid() {
			live = append(live, p)
		}
	}
	return live, err
}
