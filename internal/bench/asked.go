//go:build darwin || linux

package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"time"

	"github.com/gemini-monitor/gemini/monitor"
	serving "github.com/gemini-monitor/gemini/monitor/resident"
	"github.com/gemini-monitor/gemini/tracker/process"
)

// asked prints what a look-up costs that another process answers: the resident monitor, by
// its socket.
func (b bench) asked(ctx context.Context) (err error) {
	idler, err := b.idler()
	if err != nil {
		return err
	}
	words := b.inRuntime("asked", idler)(0)
	cmd := exec.CommandContext(ctx, words[0], words[1:]...)
	in, err := cmd.StdinPipe() // it lives while this is open
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	defer func() {
		_ = in.Close()
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		err = errors.Join(err, b.awaitNone(), endResident(b.store))
	}()
	store, err := monitor.Open(b.store)
	if err != nil {
		return err
	}
	r, err := serving.NewRouter(store)
	if err != nil {
		return err
	}
	defer r.Close()
	id, err := process.Lookup(cmd.Process.Pid)
	if err != nil {
		return err
	}
	for { // until it is watched
		place, err := r.Of(ctx, id.PID)
		if err == nil && place.Owner == id.Identity {
			break
		}
		if err := elapse(ctx, time.Millisecond); err != nil {
			return err
		}
	}
	times := make(samples, 0, 10*b.fast)
	for range 10 * b.fast {
		begin := time.Now()
		place, err := r.Of(ctx, id.PID)
		times = append(times, time.Since(begin))
		if err != nil || place.Owner != id.Identity {
			return fmt.Errorf("process %d is in %v: %w", id.PID, place, err)
		}
	}
	fmt.Println("a look-up by PID that the resident monitor answers, by its socket")
	fmt.Printf("  %-46s %8s %10s %10s %10s\n", "", "n", "median", "p99", "max")
	fmt.Printf("  %-46s %8d %10s %10s %10s\n", "resident.Router", len(times), times.median(), times.quantile(0.99), slices.Max(times))
	return nil
}
