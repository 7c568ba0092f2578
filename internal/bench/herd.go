package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"time"
)

// A herd is many processes that were started at once. Each prints a line when it is up, and
// ends by itself, when the gate is closed or by a kill.
type herd struct {
	all  []*exec.Cmd
	gate *os.File
	took time.Duration // from the first start until the last one was up
}

// herdPatience bounds the start and the end of a whole herd.
const herdPatience = 2 * time.Minute

// newHerd starts n processes of the words for each, and returns when all are up.
func newHerd(ctx context.Context, n int, words func(i int) []string) (*herd, error) {
	waits, gate, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer waits.Close()
	lines, out, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(err, gate.Close())
	}
	defer lines.Close()
	h := &herd{gate: gate, all: make([]*exec.Cmd, n)}
	begin := time.Now()
	err = h.start(words, waits, out)
	out.Close()
	if err == nil {
		err = count(ctx, lines, n)
	}
	h.took = time.Since(begin)
	if err != nil {
		h.kill()
		h.reap()
		return nil, fmt.Errorf("start %d of %v: %w", n, words(0), err)
	}
	return h, nil
}

// start starts the processes, as many at a time as there are processors.
func (h *herd) start(words func(i int) []string, in, out *os.File) error {
	var all sync.WaitGroup
	starters := runtime.NumCPU()
	failed := make([]error, starters)
	for k := range starters {
		all.Go(func() {
			for i := k; i < len(h.all) && failed[k] == nil; i += starters {
				w := words(i)
				cmd := exec.Command(w[0], w[1:]...)
				cmd.Stdin, cmd.Stdout, cmd.Stderr = in, out, os.Stderr
				if failed[k] = cmd.Start(); failed[k] == nil {
					h.all[i] = cmd
				}
			}
		})
	}
	all.Wait()
	return errors.Join(failed...)
}

// count reads n lines.
func count(ctx context.Context, lines *os.File, n int) error {
	defer context.AfterFunc(ctx, func() { _ = lines.SetReadDeadline(time.Unix(1, 0)) })()
	if err := lines.SetReadDeadline(time.Now().Add(herdPatience)); err != nil {
		return err
	}
	buffer := make([]byte, 1<<12)
	for up := 0; up < n; {
		k, err := lines.Read(buffer)
		up += bytes.Count(buffer[:k], []byte("\n"))
		if err != nil && up < n {
			return errors.Join(fmt.Errorf("%d of %d are up: %w", up, n, err), ctx.Err())
		}
	}
	return nil
}

// kill kills all, and returns when that began. It does not reap them: a zombie is dead.
func (h *herd) kill() time.Time {
	begin := time.Now()
	for _, cmd := range h.all {
		if cmd != nil {
			_ = cmd.Process.Kill()
		}
	}
	return begin
}

// reap waits until all have ended.
func (h *herd) reap() {
	h.gate.Close()
	for _, cmd := range h.all {
		if cmd != nil {
			_ = cmd.Wait()
		}
	}
}

// idler returns the words of a process that prints a line and waits at the gate.
func (b bench) idler() ([]string, error) {
	line := filepath.Join(filepath.Dir(b.store), "line")
	return []string{"cat", line, "-"}, os.WriteFile(line, []byte("\n"), 0o600)
}
