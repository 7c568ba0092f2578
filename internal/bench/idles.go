package main

import (
	"context"
	"errors"
	"fmt"
)

// idles prints what a monitor costs while nothing happens in its runtime: the resident one,
// and one of the runtime's own.
func (b bench) idles(ctx context.Context) (err error) {
	defer func() { err = errors.Join(err, endResident(b.store)) }()
	if err := b.idleOf(ctx, "a resident monitor with one idle member", "run"); err != nil {
		return err
	}
	return b.idleOf(ctx, "a monitor of its own, with one idle member", "run", "--no-resident")
}

func (b bench) idleOf(ctx context.Context, title string, run ...string) error {
	name := fmt.Sprintf("idle%d", len(run))
	l, err := startLeaf(append(append([]string{b.monitor}, run...), "--name", name, "--", "cat")...)
	if err != nil {
		return err
	}
	defer l.end()
	pid, err := b.monitorOf(name)
	if err != nil {
		return err
	}
	if err := elapse(ctx, b.idle/10); err != nil { // not measured: the rest of the start
		return err
	}
	memory, err := resident(pid)
	if err != nil {
		return err
	}
	fmt.Printf("%s\n  resident memory    %s\n", title, memory)
	if err := b.wakes(ctx, pid); err != nil {
		return err
	}
	l.end()
	return b.gone(name)
}

// wakes prints how often an idle process was woken, and how many processes the machine made
// meanwhile, each of which may wake it.
func (b bench) wakes(ctx context.Context, pid int) error {
	before, err := switches(pid)
	if errors.Is(err, errors.ErrUnsupported) {
		fmt.Println("  context switches   cannot be read here")
		return nil
	}
	born, unborn := births()
	if err := errors.Join(err, unborn); err != nil {
		return err
	}
	if err := elapse(ctx, b.idle); err != nil { // the time that is measured
		return err
	}
	after, err := switches(pid)
	made, unmade := births()
	if err := errors.Join(err, unmade); err != nil {
		return err
	}
	fmt.Printf("  context switches   %d in %s, %.1f a minute, while the machine made %d processes and threads\n",
		after-before, b.idle, float64(after-before)/b.idle.Minutes(), made-born)
	return nil
}
