package main

import (
	"context"
	"errors"
	"fmt"
)

// idles prints what a monitor costs while nothing happens in its runtime.
func (b bench) idles(ctx context.Context) error {
	l, err := startLeaf(b.monitor, "run", "--name", "idle", "--", "cat")
	if err != nil {
		return err
	}
	defer l.end()
	pid, err := b.monitorOf("idle")
	if err != nil {
		return err
	}
	memory, err := resident(pid)
	if err != nil {
		return err
	}
	fmt.Println("a monitor with one idle member")
	fmt.Printf("  resident memory    %s\n", memory)
	if err := elapse(ctx, b.idle/10); err != nil { // not measured: the rest of the start
		return err
	}
	before, err := switches(pid)
	if errors.Is(err, errors.ErrUnsupported) {
		fmt.Println("  context switches   cannot be read here")
		return nil
	}
	if err != nil {
		return err
	}
	if err := elapse(ctx, b.idle); err != nil { // the time that is measured
		return err
	}
	after, err := switches(pid)
	if err != nil {
		return err
	}
	fmt.Printf("  context switches   %d in %s, %.1f a minute\n", after-before, b.idle, float64(after-before)/b.idle.Minutes())
	return nil
}
