package service

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"

	"github.com/gemini-monitor/gemini/examples/layerfs/view"
	"github.com/gemini-monitor/gemini/monitor"
	"github.com/gemini-monitor/gemini/tracker"
	"github.com/gemini-monitor/gemini/tracker/process"
)

// A running is a runtime that the service watches.
type running struct {
	name     string
	owner    process.Identity
	payload  Payload
	broken   error // why the layers are not known, or nil
	tree     *view.Tree
	watching *monitor.Watching
	members  *tracker.Tree
	leave    context.CancelFunc
	ended    chan struct{} // closed when it is not watched any more
}

// errLeaving reports that the service is about to end.
var errLeaving = errors.New("the layerfs service is about to end")

// adopt watches the runtimes of the store that have no monitor: those of a service that was
// killed, and those whose start was.
func (f *own) adopt(ctx context.Context) {
	names, err := f.Place.Store.Names()
	if err != nil {
		f.Log.Error("the store cannot be read", "error", err)
	}
	var all sync.WaitGroup
	for _, name := range names {
		all.Go(func() { f.adoptOne(ctx, name) })
	}
	all.Wait()
}

func (f *own) adoptOne(ctx context.Context, name string) {
	r, err := f.Place.Store.Runtime(name)
	var record monitor.Record
	if err == nil {
		record, err = r.Record()
	}
	if err == nil {
		if record.State == monitor.StateIdle || begins(record) || f.find(name, record.Owner) != nil {
			return
		}
		err = f.watch(ctx, r, record.Owner, false)
	}
	if err != nil && !errors.Is(err, monitor.ErrNotExist) && !(errors.Is(err, monitor.ErrWatched) && !hasPayload(r)) {
		f.Log.Warn("a runtime is not watched, and its processes see nothing", "runtime", name, "error", err)
	}
}

// begins reports whether the owner of a runtime lives and has not had it watched yet.
func begins(r monitor.Record) bool {
	if r.State != monitor.StateStarting || r.Monitor != nil {
		return false
	}
	p, err := process.Lookup(r.Owner.PID)
	return err != nil && !errors.Is(err, process.ErrGone) || err == nil && p.Identity == r.Owner && p.State != process.Zombie
}

// watch watches the runtime of an owner and shows it its layers. The owner waits for it, or
// else the runtime had a monitor before. Layers that cannot be read end no runtime: its
// processes get EIO.
func (f *own) watch(ctx context.Context, r *monitor.Runtime, owner process.Identity, waits bool) error {
	one := &running{name: r.Name(), owner: owner, tree: &view.Tree{Name: r.Name()}, ended: make(chan struct{})}
	one.payload, one.broken = readPayload(r)
	if one.broken == nil {
		one.tree.Stack, one.broken = one.payload.stack(r, f.Patience)
	}
	if one.broken != nil {
		if waits {
			return one.broken
		}
		f.Log.Error("the processes of a runtime get EIO", "runtime", r.Name(), "error", one.broken)
	}
	o := monitor.Options{
		Log: slog.New(slog.NewTextHandler(r.LogWriter(), nil)), Releases: &f.releases, Reserve: f.reserve,
		Owner: owner, Waits: waits,
	}
	watching, err := r.Attach(ctx, f.tracker, o)
	if err != nil {
		return err
	}
	one.watching, one.members = watching, watching.Tree()
	return f.show(one)
}

// show has a runtime that is watched be shown, until it has ended.
func (f *own) show(one *running) error {
	ctx, leave := context.WithCancel(context.Background())
	one.leave = leave
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		leave()
		return errors.Join(errLeaving, one.watching.Close())
	}
	f.running[one.name] = one
	route, err := f.routes.Attach(one.members, one.tree)
	if err != nil {
		leave()
		delete(f.running, one.name)
		return errors.Join(err, one.watching.Close())
	}
	f.fs.Add(one.tree)
	f.going.Go(func() {
		defer close(one.ended)
		defer leave()
		if err := one.watching.Run(ctx); err != nil && ctx.Err() == nil {
			f.Log.Error("a runtime is not watched any more", "runtime", one.name, "error", err)
		}
		_ = route.Close()
		f.fs.Drop(one.tree)
		f.mu.Lock()
		defer f.mu.Unlock()
		if f.running[one.name] == one {
			delete(f.running, one.name)
		}
	})
	return nil
}

// find returns the runtime of a name and owner, nil where it is not watched.
func (f *own) find(name string, owner process.Identity) *running {
	f.mu.Lock()
	defer f.mu.Unlock()
	if one := f.running[name]; one != nil && one.owner == owner {
		return one
	}
	return nil
}

// end ends the watching of a runtime and leaves it as it is.
func (f *own) end(name string, owner process.Identity) {
	if one := f.find(name, owner); one != nil {
		one.leave()
		<-one.ended
	}
}

// all returns the runtimes that are watched, by name.
func (f *own) all() (list []*running) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, one := range f.running {
		list = append(list, one)
	}
	slices.SortFunc(list, func(a, b *running) int { return cmp.Compare(a.name, b.name) })
	return list
}

// leave ends the watching of all runtimes, and leaves them as they are.
func (f *own) leave() {
	f.mu.Lock()
	f.closed = true
	f.mu.Unlock()
	for _, one := range f.all() {
		one.leave()
	}
}
