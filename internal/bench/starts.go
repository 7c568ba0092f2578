package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"time"
)

// starts prints how much longer a command that does nothing takes in a runtime, beside a
// start of the program that does nothing else.
func (b bench) starts(ctx context.Context) (err error) {
	defer func() { err = errors.Join(err, endResident(b.store)) }()
	if _, err := b.startIn(ctx, "start"); err != nil { // it starts the resident
		return err
	}
	service, err := serve(filepath.Dir(b.store))
	if err != nil {
		return err
	}
	defer service.Close()
	kinds := []struct {
		name  string
		every int // takes part in each so manyth turn
		take  func(i int) (time.Duration, error)
		times samples
	}{
		{name: "true", every: 1, take: func(int) (time.Duration, error) { return clock("true") }},
		{name: "monitor --version", every: 1, take: func(int) (time.Duration, error) { return clock(b.monitor, "--version") }},
		{name: "asks a socket, becomes true", every: 1, take: func(int) (time.Duration, error) {
			return clock(b.self, "-ask", service.Addr().String(), "true")
		}},
		{name: "monitor run -- true", every: 1, take: func(i int) (time.Duration, error) { return b.startIn(ctx, fmt.Sprintf("start%d", i)) }},
		{name: "the same with --no-resident", every: 2, take: func(i int) (time.Duration, error) {
			return b.startIn(ctx, fmt.Sprintf("own%d", i), "--no-resident")
		}},
		{name: "the first, which starts a resident", every: 5, take: func(i int) (time.Duration, error) { return b.firstRun(ctx, i) }},
	}
	for i := range b.fast / 2 {
		for k := range kinds {
			if i%kinds[k].every != 0 {
				continue
			}
			t, err := kinds[k].take(i)
			if err != nil {
				return err
			}
			kinds[k].times = append(kinds[k].times, t)
		}
	}
	head("a command from start to end", "ratio")
	for _, k := range kinds {
		row(k.name, k.times, kinds[0].times)
	}
	for _, k := range kinds[:3] {
		fmt.Printf("%-34s %17s\n", "  run adds to "+k.name, ms(kinds[3].times.median()-k.times.median()))
	}
	return nil
}

// startIn returns how long a command in a runtime of its own takes. It returns when the
// runtime has gone.
func (b bench) startIn(ctx context.Context, name string, flags ...string) (time.Duration, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	words := append([]string{b.monitor, "--store", b.store, "run", "--name", name}, flags...)
	t, err := clock(append(words, "--", "true")...)
	if err != nil {
		return 0, err
	}
	return t, b.gone(name)
}

// firstRun returns how long the first run in a store takes.
func (b bench) firstRun(ctx context.Context, i int) (t time.Duration, err error) {
	b.store = filepath.Join(filepath.Dir(b.store), fmt.Sprintf("first%d", i))
	defer func() { err = errors.Join(err, endResident(b.store)) }()
	return b.startIn(ctx, "first")
}

func clock(words ...string) (time.Duration, error) {
	begin := time.Now()
	if out, err := exec.Command(words[0], words[1:]...).CombinedOutput(); err != nil {
		return 0, fmt.Errorf("%v: %w: %s", words, err, out)
	}
	return time.Since(begin), nil
}
