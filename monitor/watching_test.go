//go:build darwin || linux

package monitor_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/monitor"
	"github.com/gemini-monitor/gemini/tracker"
	"github.com/gemini-monitor/gemini/tracker/process"
	"github.com/gemini-monitor/gemini/tracker/trees"
)

// A watching is a monitor at work in this process.
type watching struct {
	stop  context.CancelFunc
	ready chan struct{}
	done  chan struct{}
	err   error // once done is closed
}

// watch begins to watch a runtime. It ends with the spec at the latest.
func watch(r *monitor.Runtime) *watching {
	ctx, stop := context.WithCancel(context.Background())
	w := &watching{stop: stop, ready: make(chan struct{}), done: make(chan struct{})}
	log := slog.New(slog.NewTextHandler(GinkgoWriter, &slog.HandlerOptions{Level: slog.LevelDebug}))
	go func() {
		defer GinkgoRecover()
		defer close(w.done)
		w.err = r.Watch(ctx, log, sync.OnceFunc(func() { close(w.ready) }))
	}()
	DeferCleanup(func() {
		stop()
		Eventually(w.done).Should(BeClosed())
	})
	return w
}

// watched begins to watch a runtime and returns when it is being watched.
func watched(r *monitor.Runtime) *watching {
	GinkgoHelper()
	w := watch(r)
	Eventually(w.ready).Should(BeClosed())
	return w
}

// ends waits until the monitor has ended.
func (w *watching) ends() error {
	GinkgoHelper()
	Eventually(w.done).Should(BeClosed())
	return w.err
}

// leaves tells the monitor to stop, and waits until it has.
func (w *watching) leaves() {
	GinkgoHelper()
	w.stop()
	Expect(w.ends()).To(MatchError(context.Canceled))
}

// members returns the PIDs of the live members, as anybody can see them.
func members(s *monitor.Store, name string) func() ([]int, error) {
	return func() ([]int, error) {
		status, err := statusOf(s, name)
		pids := []int{}
		for _, m := range status.Members {
			pids = append(pids, m.PID)
		}
		return pids, err
	}
}

// entries returns the journal of a runtime.
func entries(r *monitor.Runtime) (all []monitor.Entry) {
	GinkgoHelper()
	text, err := os.ReadFile(r.Path(monitor.JournalFile))
	Expect(err).NotTo(HaveOccurred())
	whole := text[:bytes.LastIndexByte(text, '\n')+1]
	for decoder := json.NewDecoder(bytes.NewReader(whole)); decoder.More(); {
		var e monitor.Entry
		Expect(decoder.Decode(&e)).To(Succeed())
		all = append(all, e)
	}
	return all
}

// childOf returns who joined as a child of a process, by the journal.
func childOf(r *monitor.Runtime, parent process.Identity) process.Identity {
	GinkgoHelper()
	for _, e := range entries(r) {
		if e.Event == trees.Joined && e.Member.Link.Through == parent {
			return e.Member.Identity
		}
	}
	Fail(fmt.Sprintf("no child of %v in the journal", parent))
	return process.Identity{}
}

// forks tells what the kernel says of forks here.
func forks() process.Forks {
	GinkgoHelper()
	t, err := tracker.New(tracker.Options{})
	Expect(err).NotTo(HaveOccurred())
	defer t.Close()
	return t.Capabilities().Forks
}

// lives reports whether a process is neither gone nor a zombie.
func lives(id process.Identity) (bool, error) {
	row, err := process.Lookup(id.PID)
	if errors.Is(err, process.ErrGone) {
		return false, nil
	}
	return row.Identity == id && row.State != process.Zombie, err
}
