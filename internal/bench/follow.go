//go:build darwin || linux

package main

import (
	"bufio"
	"context"
	"errors"
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

// followAs makes this process a follower: it follows the trees of some roots, and its
// cost is measured apart from that of the bench. It prints "ready", the PID of each root
// whose tree has ended, and, for each line that it reads, its processor time in
// microseconds and its memory in bytes.
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
	// All at once: one read of the table serves all trees that are waiting.
	begun := make(chan error)
	for _, root := range roots {
		go func() {
			tree, err := t.Track(ctx, root)
			begun <- err
			if err == nil && errors.Is(tree.Wait(ctx), tracker.ErrMayHaveMissed) {
				out.print(root)
			}
		}()
	}
	for range roots {
		if err := <-begun; err != nil {
			return err
		}
	}
	out.print("ready")
	return answer(&out, before)
}

// scanBeat is the time between two reads of a follower that polls. spfs takes 2.5 s; a
// tenth of a second is about what a user does not notice.
const scanBeat = 100 * time.Millisecond

// followByScan is the follower that reads the whole table at a beat.
func followByScan(roots []int) error {
	var out lines
	before := heap()
	go func() {
		out.print("ready")
		for left := roots; len(left) > 0; time.Sleep(scanBeat) { // the beat is the point
			left = scanTable(left, &out)
		}
	}()
	return answer(&out, before)
}

// scanTable prints the roots without a child and returns the others. It loses orphans,
// as all programs that read a tree from the root downwards.
func scanTable(roots []int, out *lines) (left []int) {
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
		out.print(root)
	}
	return left
}

// answer prints the cost of this process for each line that it reads.
func answer(out *lines, before uint64) error {
	orders := bufio.NewScanner(os.Stdin)
	for orders.Scan() {
		var used syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
			return err
		}
		out.print("cost", time.Duration(used.Utime.Nano()+used.Stime.Nano()).Microseconds(), int64(heap())-int64(before))
	}
	return orders.Err()
}

// heap returns the live heap in bytes.
func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// lines prints whole lines from any goroutine.
type lines struct{ mu sync.Mutex }

func (l *lines) print(words ...any) {
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
