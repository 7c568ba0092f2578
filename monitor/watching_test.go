//go:build darwin || linux

package monitor_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gbytes"

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
	text  *gbytes.Buffer
	// attached is the monitor itself, once ready is closed.
	attached *monitor.Watching
}

// log returns what the monitor has logged.
func (w *watching) log() string { return string(w.text.Contents()) }

// watch begins to watch a runtime. It ends with the spec at the latest.
func watch(r *monitor.Runtime) *watching { return watchAs(r, monitor.Options{}) }

// watchAs is watch with options, to which it adds a log.
func watchAs(r *monitor.Runtime, o monitor.Options) *watching {
	ctx, stop := context.WithCancel(context.Background())
	w := &watching{stop: stop, ready: make(chan struct{}), done: make(chan struct{}), text: gbytes.NewBuffer()}
	o.Log = slog.New(slog.NewTextHandler(io.MultiWriter(GinkgoWriter, w.text), &slog.HandlerOptions{Level: slog.LevelDebug}))
	go func() {
		defer GinkgoRecover()
		defer close(w.done)
		w.err = w.run(ctx, r, o)
	}()
	DeferCleanup(func() {
		stop()
		Eventually(w.done).Should(BeClosed())
	})
	return w
}

func (w *watching) run(ctx context.Context, r *monitor.Runtime, o monitor.Options) error {
	t, err := tracker.New(tracker.Options{})
	if err != nil {
		return err
	}
	defer t.Close()
	attached, err := r.Attach(ctx, t, o)
	if err != nil {
		return err
	}
	w.attached = attached
	close(w.ready)
	return attached.Run(ctx)
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

// leaves stops the monitor, and waits until it has ended.
func (w *watching) leaves() {
	GinkgoHelper()
	w.stop()
	Expect(w.ends()).To(MatchError(context.Canceled))
}

// members returns the PIDs of the live members in the status.
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

// entries returns the journal of a runtime, without the states of its record.
func entries(r *monitor.Runtime) (all []monitor.JournalEntry) {
	GinkgoHelper()
	for e, err := range r.Journal() {
		Expect(err).NotTo(HaveOccurred())
		if e.Event != monitor.StateChanged {
			all = append(all, e)
		}
	}
	return all
}

// childOf returns the process that joined as a child of another, by the journal.
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

// forks returns what the kernel reports of forks here.
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
