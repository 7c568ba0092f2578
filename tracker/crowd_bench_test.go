package tracker

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/gemini-monitor/gemini/internal/core"
	"github.com/gemini-monitor/gemini/tracker/process"
	"github.com/gemini-monitor/gemini/tracker/trees"
)

// BenchmarkStep measures one notice about a member of one tree, while so many trees are
// followed, each with a goroutine that waits for its changes.
func BenchmarkStep(b *testing.B) {
	for _, n := range []int{1, 1000} {
		b.Run(fmt.Sprintf("trees=%d", n), func(b *testing.B) {
			k := newCrowdKernel(n)
			t := newTracker(k, slog.New(slog.DiscardHandler))
			defer t.Close()
			waitInEach(b, t, k.rows)
			notice := []core.Notice{{PID: k.rows[0].PID, Events: process.Execed, Found: k.rows[0]}}
			for b.Loop() {
				k.notices <- notice
				<-k.idle
			}
		})
	}
}

// BenchmarkFollow measures that many trees begin at once.
func BenchmarkFollow(b *testing.B) {
	for _, n := range []int{1, 1000} {
		b.Run(fmt.Sprintf("trees=%d", n), func(b *testing.B) {
			k := newCrowdKernel(n)
			reads := 0
			for b.Loop() {
				t := newTracker(k, slog.New(slog.DiscardHandler))
				followEach(b, t, k.rows)
				t.follower.Do(func(c *core.Core) { reads += c.Reads() })
				t.Close()
			}
			b.ReportMetric(float64(reads)/float64(b.N), "reads/op")
		})
	}
}

// A crowdKernel names forks, and has many processes that do nothing.
type crowdKernel struct {
	rows    []process.Row
	notices chan []core.Notice
	idle    chan struct{} // receives when the tracker waits for a notice
	wake    chan struct{}
}

func newCrowdKernel(n int) *crowdKernel {
	k := &crowdKernel{notices: make(chan []core.Notice), idle: make(chan struct{}), wake: make(chan struct{}, 1)}
	for pid := 100; pid < 100+n; pid++ {
		id := process.Identity{PID: pid, Start: process.StartTime(pid), Boot: crowdBoot()}
		k.rows = append(k.rows, process.Row{Process: process.Process{Identity: id, Parent: 1, Group: 1, Session: 1}})
	}
	return k
}

func crowdBoot() string {
	boot, err := process.Boot()
	if err != nil {
		panic(err)
	}
	return boot
}

func (k *crowdKernel) Forks() process.Forks                               { return process.ForksNamed }
func (k *crowdKernel) Lags() bool                                         { return false }
func (k *crowdKernel) Inherit()                                           {}
func (k *crowdKernel) Add(int) error                                      { return nil }
func (k *crowdKernel) Remove(int)                                         {}
func (k *crowdKernel) Partial() error                                     { return nil }
func (k *crowdKernel) Alone(process.Row) bool                             { return false }
func (k *crowdKernel) Marks(process.Row) ([]string, time.Duration, error) { return nil, 0, nil }

func (k *crowdKernel) Lineage() bool { return false }
func (k *crowdKernel) Inhabited(map[int]bool) (bool, time.Duration, error) {
	return false, time.Microsecond, nil
}
func (k *crowdKernel) Close() error { return nil }

func (k *crowdKernel) Lookup(pid int) (process.Row, error) {
	if i := pid - 100; i >= 0 && i < len(k.rows) {
		return k.rows[i], nil
	}
	return process.Row{}, process.ErrGone
}

func (k *crowdKernel) Read(rows []process.Row) ([]process.Row, time.Duration, error) {
	return append(rows, k.rows...), time.Microsecond, nil
}

func (k *crowdKernel) Wake() {
	select {
	case k.wake <- struct{}{}:
	default:
	}
}

func (k *crowdKernel) Next(notices []core.Notice, timeout time.Duration) ([]core.Notice, error) {
	if timeout == 0 {
		return notices, nil
	}
	limit := time.NewTimer(max(timeout, 0))
	defer limit.Stop()
	if timeout < 0 {
		limit.Stop()
	}
	for {
		select {
		case k.idle <- struct{}{}:
			continue
		case n := <-k.notices:
			return append(notices, n...), nil
		case <-k.wake:
		case <-limit.C:
		}
		return notices, nil
	}
}

// followEach follows the trees of all rows at once.
func followEach(b *testing.B, t *Tracker, rows []process.Row) (followed []*Tree) {
	begun := make(chan *Tree)
	for _, row := range rows {
		go func() {
			tree, err := t.Follow(context.Background(), row.Identity, trees.History{Fresh: true})
			if err != nil {
				b.Error(err)
			}
			begun <- tree
		}()
	}
	for range rows {
		followed = append(followed, <-begun)
	}
	return followed
}

// waitInEach follows the trees of all rows and has a goroutine wait for the changes of
// each.
func waitInEach(b *testing.B, t *Tracker, rows []process.Row) {
	for _, tree := range followEach(b, t, rows) {
		first := make(chan struct{})
		go func() {
			_, err := tree.Changes(context.Background())
			close(first)
			for err == nil {
				_, err = tree.Changes(context.Background())
			}
		}()
		<-first
	}
}
