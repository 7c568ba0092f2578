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

// A watch has the means by which a mutant finds out whether a runtime is empty.
type watch struct {
	root    process.Process // the owner
	lease   *os.File        // an open file of its own, so that it can try to lock it
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

// A choice returns, of all live processes, those that a mutant takes for members. It is
// called again and again, and may keep state.
type choice func(live []process.Process) []process.Process

// follow returns when no process is chosen. It reads the table after each notice about
// a chosen process.
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
			// A change before the watch began shows in the next read only.
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

// awaitNotice waits for a notice about an added process. Where the kernel reports no
// forks it waits for 20 ms at most.
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

// poll is follow without notices: it reads the table at a beat.
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

// living returns the process table without zombies and without this process: one mutant
// is in the group that it counts.
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
