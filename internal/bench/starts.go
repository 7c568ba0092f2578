package main

import (
	"context"
	"fmt"
	"os/exec"
	"time"
)

// starts prints how much longer a command that does nothing takes in a runtime.
func (b bench) starts(ctx context.Context) error {
	n := b.fast / 2
	var bare, ours samples
	for i := range n {
		if err := ctx.Err(); err != nil {
			return err
		}
		t, err := clock("true")
		if err != nil {
			return err
		}
		bare = append(bare, t)
		name := fmt.Sprintf("start%d", i)
		t, err = clock(b.monitor, "run", "--name", name, "--", "true")
		if err != nil {
			return err
		}
		ours = append(ours, t)
		if err := b.gone(name); err != nil {
			return err
		}
	}
	head("a command from start to end", "ratio")
	row("true", bare, bare)
	row("monitor run -- true", ours, bare)
	fmt.Printf("%-34s %17s\n", "  added, by the medians", ms(ours.median()-bare.median()))
	return nil
}

func clock(words ...string) (time.Duration, error) {
	begin := time.Now()
	if out, err := exec.Command(words[0], words[1:]...).CombinedOutput(); err != nil {
		return 0, fmt.Errorf("%v: %w: %s", words, err, out)
	}
	return time.Since(begin), nil
}
