package checkup

import (
	"cmp"
	"context"
	"errors"
	"os"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/gemini-monitor/gemini/internal/mark"
	"github.com/gemini-monitor/gemini/monitor"
	"github.com/gemini-monitor/gemini/tracker"
	"github.com/gemini-monitor/gemini/tracker/process"
)

// Options are what [Gather] asks about.
type Options struct {
	Program Program
	// Open opens the store.
	Open func() (*monitor.Store, error)
	// Dir is the directory that the user has named for it, or empty.
	Dir string
	// Alone is set where runtimes get monitors of their own.
	Alone bool
	// Outer is the store that the environment names, empty for none.
	Outer string
	// Patience is how long a question may take, 0 for [Patience].
	Patience time.Duration
}

// Patience is how long a question may take, unless [Options] say otherwise. [ErrLate] names
// it.
const Patience = 2 * time.Second

// Gather collects the facts, all at the same time. It returns after three times the
// patience at most, also where a file system hangs or the resident monitor is stopped: a call that blocks
// is left behind.
func Gather(ctx context.Context, o Options) Facts {
	f := Facts{Program: o.Program, Kernel: kernelHere(), Limits: limits()}
	o.Patience = cmp.Or(o.Patience, Patience)
	var asking sync.WaitGroup
	asking.Go(func() { f.Tracking = within(ctx, o, tracking, func(err error) Tracking { return Tracking{Err: err} }) })
	asking.Go(func() { gatherTable(ctx, o, &f) })
	asking.Go(func() { f.Session = within(ctx, o, session, func(error) Session { return Session{} }) })
	asking.Go(func() { gatherStore(ctx, o, &f) })
	asking.Wait()
	return f
}

// within returns the answer to a question, or what failed makes of [ErrLate], or of the end
// of ctx, where there is none in time.
func within[T any](ctx context.Context, o Options, question func() T, failed func(error) T) T {
	ctx, done := context.WithTimeoutCause(ctx, o.Patience, ErrLate)
	defer done()
	answered := make(chan T, 1)
	go func() { answered <- question() }()
	select {
	case answer := <-answered:
		return answer
	case <-ctx.Done():
		return failed(context.Cause(ctx))
	}
}

func kernelHere() Kernel {
	return Kernel{System: runtime.GOOS, Release: release(), Root: os.Geteuid() == 0, Namespaces: namespaces()}
}

// tracking opens a tracker and closes it again.
func tracking() Tracking {
	t, err := tracker.New(tracker.Options{})
	if err != nil {
		return Tracking{Err: err}
	}
	defer t.Close()
	return Tracking{Capabilities: t.Capabilities()}
}

// gatherTable reads the process table once, and collects what is about the processes in it.
func gatherTable(ctx context.Context, o Options, f *Facts) {
	read := within(ctx, o, table, func(err error) reading { return reading{err: err} })
	f.Table = Table{Processes: read.processes, Partial: read.partial, Err: read.err}
	if f.Table.Err != nil {
		f.Marks.Err = f.Table.Err
		return
	}
	limits := f.Limits
	var asking sync.WaitGroup
	asking.Go(func() {
		f.Marks = within(ctx, o, func() Marks { return marks(read.mine) }, func(err error) Marks { return Marks{Err: err} })
	})
	asking.Go(func() {
		f.Limits = within(ctx, o, func() Limits { return used(limits, read.mine) }, func(error) Limits { return limits })
	})
	asking.Wait()
}

// A reading is one of the process table.
type reading struct {
	processes    int
	mine         []process.Row // those of this user, zombies included
	partial, err error
}

func table() reading {
	r, err := process.OpenReader()
	if err != nil {
		return reading{err: err}
	}
	defer r.Close()
	rows, err := r.Read(nil)
	found := reading{processes: len(rows), partial: r.Partial(), err: err}
	found.mine = slices.DeleteFunc(rows, func(row process.Row) bool { return row.User != os.Geteuid() })
	return found
}

// most is how many processes are asked for their environment.
const most = 100

// marks asks other processes of this user for their environment, as a tracker does.
func marks(mine []process.Row) (m Marks) {
	r, err := process.OpenReader()
	if err != nil {
		return Marks{Err: err}
	}
	defer r.Close()
	for _, row := range mine {
		if row.PID == os.Getpid() || row.State == process.Zombie || m.Asked == most {
			continue
		}
		switch _, err := r.Settings(row.Identity, mark.Variable); {
		case errors.Is(err, process.ErrGone), errors.Is(err, process.ErrBetween):
		case err == nil:
			m.Read++
			m.Asked++
		default:
			m.Asked++
		}
	}
	return m
}

// used returns limits with what this user has in use of them.
func used(l Limits, mine []process.Row) Limits {
	if l.Processes != nil {
		q := Quota{Limit: l.Processes.Limit, Counted: true}
		for _, row := range mine {
			q.Used += threads(row.PID)
		}
		l.Processes = &q
	}
	if l.Inotify != nil {
		q := Quota{Limit: l.Inotify.Limit, Used: instancesOf(mine), Counted: true}
		l.Inotify = &q
	}
	return l
}
