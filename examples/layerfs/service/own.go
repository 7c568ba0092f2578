package service

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"syscall"
	"time"

	"github.com/gemini-monitor/gemini/examples/layerfs/view"
	"github.com/gemini-monitor/gemini/monitor"
	"github.com/gemini-monitor/gemini/tracker"
	"github.com/gemini-monitor/gemini/tracker/process"
	"github.com/gemini-monitor/gemini/tracker/router"
)

// An own following follows the processes itself: it is the monitor of the runtimes.
type own struct {
	Options
	fs       *view.FS
	tracker  *tracker.Tracker
	routes   *router.Router[*view.Tree]
	releases monitor.ReleaseNotifier
	reserve  *monitor.Reserve

	mu      sync.Mutex
	running map[string]*running
	closed  bool
	going   sync.WaitGroup
}

func newOwn(o Options) (_ following, err error) {
	f := &own{Options: o, running: make(map[string]*running)}
	if f.tracker, err = tracker.New(tracker.Options{}); err == nil {
		f.reserve, err = monitor.NewReserve()
	}
	if err == nil {
		f.routes, err = router.New(f.tracker, router.Options[*view.Tree]{})
	}
	if err != nil {
		return nil, errors.Join(err, f.close())
	}
	o.Log.Info("follows the processes", "forks", f.tracker.Capabilities().Forks)
	return f, nil
}

func (f *own) close() (err error) {
	f.going.Wait()
	if f.routes != nil {
		err = f.routes.Close()
	}
	if f.tracker != nil {
		err = errors.Join(err, f.tracker.Close())
	}
	if f.reserve != nil {
		err = errors.Join(err, f.reserve.Close())
	}
	return err
}

// Of implements [view.Router].
func (f *own) Of(pid int) (*view.Tree, error) {
	t, _ := f.routes.Of(pid)
	return t, nil
}

func (f *own) begin(ctx context.Context, shown *view.FS) {
	f.fs = shown
	f.Place.Store.Sweep()
	f.adopt(ctx)
}

func (f *own) take(ctx context.Context, r *monitor.Runtime, owner process.Identity) error {
	return f.watch(ctx, r, owner, true)
}

func (f *own) join(ctx context.Context, name string, owner process.Identity, who monitor.Newcomer) error {
	one := f.find(name, owner)
	if one == nil {
		return fmt.Errorf("runtime %q is not watched", name)
	}
	return one.watching.Join(ctx, who)
}

// runtimes returns what is watched. A start may have been killed, so it looks for others first.
func (f *own) runtimes(ctx context.Context) ([]Runtime, error) {
	f.adopt(ctx)
	return f.present(), nil
}

func (f *own) present() []Runtime {
	list := []Runtime{}
	for _, one := range f.all() {
		r := Runtime{Name: one.name, Owner: one.owner, Edit: one.payload.Edit, Layers: one.payload.Layers, Members: []int{}}
		if one.broken != nil {
			r.Broken = one.broken.Error()
		}
		for _, m := range one.members.Members() {
			r.Members = append(r.Members, m.PID)
		}
		list = append(list, r)
	}
	return list
}

func (f *own) stop(ctx context.Context, force bool) {
	for _, one := range f.all() {
		if force {
			_, _ = one.watching.Stop(ctx, syscall.SIGTERM, grace) // what is left keeps the runtime
		}
		if one.deserted() {
			one.awaitEnd()
		}
	}
}

// deserted reports whether no member lives. The kernel may free the PID of a process before it
// reports the end to the tracker (docs/router.md), so the members are looked up.
func (one *running) deserted() bool {
	for _, m := range one.members.Members() {
		now, err := process.Lookup(m.PID)
		if err != nil && !errors.Is(err, process.ErrGone) || err == nil && now.Identity == m.Identity && now.State != process.Zombie {
			return false
		}
	}
	return true
}

// awaitEnd waits, for a limited time, until an empty runtime is removed.
func (one *running) awaitEnd() {
	select {
	case <-one.ended:
	case <-time.After(emptying):
	}
}
