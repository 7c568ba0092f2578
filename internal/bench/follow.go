//go:build darwin || linux

package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/gemini-monitor/gemini/tracker"
	"github.com/gemini-monitor/gemini/tracker/process"
)

// A follower is a process that follows the trees of some roots, so that what it
// costs can be told from what the bench does. It says "ready", then the PID of
// each root whose tree has ended, and how much processor time it has used and
// how much memory it holds, whenever it reads a line.

func followAs(kind string, words []string) error {
	roots, err := numbers(words)
	switch {
	case err != nil:
		return err
	case kind == "scan":
		return followByScan(roots)
	}
	return follow(roots)
}

// follow is the follower that uses the tracker.
func follow(roots []int) error {
	t, err := tracker.New(tracker.Options{})
	if err != nil {
		return err
	}
	defer t.Close()
	var out lines
	before := heap()
	ctx := context.Background()
	// All at once: one read of the table serves all trees that wait for it.
	begun := make(chan error)
	for _, root := range roots {
		go func() {
			tree, err := t.Track(ctx, root)
			begun <- err
			if err == nil && tree.Wait(ctx) == nil {
				out.say(root)
			}
		}()
	}
	for range roots {
		if err := <-begun; err != nil {
			return err
		}
	}
	out.say("ready")
	return answer(&out, before)
}

// scanBeat is how often those look who have to. A tenth of a second is what
// people bear; spfs looks every 2.5 s.
const scanBeat = 100 * time.Millisecond

// followByScan is the follower that reads the whole table for each look.
func followByScan(roots []int) error {
	var out lines
	before := heap()
	go func() {
		out.say("ready")
		for left := roots; len(left) > 0; time.Sleep(scanBeat) { // the beat is the point
			left = look(left, &out)
		}
	}()
	return answer(&out, before)
}

// look says which roots have nobody below them any more and returns the others.
// It loses orphans, as all do who look from the root downwards.
func look(roots []int, out *lines) (left []int) {
	rows, err := process.Table()
	if err != nil {
		return roots
	}
	here := make(map[int]bool, len(rows))
	for _, p := range rows {
		if p.State != process.Zombie {
			here[p.PID], here[-p.Parent] = true, true // negative: a parent
		}
	}
	for _, root := range roots {
		if here[root] || here[-root] {
			left = append(left, root)
			continue
		}
		out.say(root)
	}
	return left
}

// answer says what the process has cost, each time it is asked.
func answer(out *lines, before uint64) error {
	orders := bufio.NewScanner(os.Stdin)
	for orders.Scan() {
		var used syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
			return err
		}
		out.say("cost", time.Duration(used.Utime.Nano()+used.Stime.Nano()).Microseconds(), int64(heap())-int64(before))
	}
	return orders.Err()
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// lines are written whole, whoever says them.
type lines struct{ mu sync.Mutex }

func (l *lines) say(words ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	fmt.Println(words...)
}

func numbers(words []string) (n []int, err error) {
	for _, word := range words {
		number, err := strconv.Atoi(word)
		if err != nil {
			return nil, err
		}
		n = append(n, number)
	}
	return n, nil
}
