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
func (s *server) adopt(ctx context.Context) {
	names, err := s.Place.Store.Names()
	if err != nil {
		s.Log.Error("the store cannot be read", "error", err)
	}
	var all sync.WaitGroup
	for _, name := range names {
		all.Go(func() { s.adoptOne(ctx, name) })
	}
	all.Wait()
}

func (s *server) adoptOne(ctx context.Context, name string) {
	r, err := s.Place.Store.Runtime(name)
	var record monitor.Record
	if err == nil {
		record, err = r.Record()
	}
	if err == nil {
		if record.State == monitor.StateIdle || begins(record) || s.find(name, record.Owner) != nil {
			return
		}
		err = s.watch(ctx, r, record.Owner, false)
	}
	if err != nil && !errors.Is(err, monitor.ErrNotExist) && !errors.Is(err, monitor.ErrWatched) {
		s.Log.Warn("a runtime is not watched", "runtime", name, "error", err)
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
func (s *server) watch(ctx context.Context, r *monitor.Runtime, owner process.Identity, waits bool) error {
	one := &running{name: r.Name(), owner: owner, tree: &view.Tree{Name: r.Name()}, ended: make(chan struct{})}
	one.payload, one.broken = readPayload(r)
	if one.broken == nil {
		one.tree.Stack, one.broken = one.payload.stack(r, s.Patience)
	}
	if one.broken != nil {
		if waits {
			return one.broken
		}
		s.Log.Error("the processes of a runtime get EIO", "runtime", r.Name(), "error", one.broken)
	}
	o := monitor.Options{
		Log: slog.New(slog.NewTextHandler(r.LogWriter(), nil)), Releases: &s.releases, Reserve: s.reserve,
		Owner: owner, Waits: waits,
	}
	watching, err := r.Attach(ctx, s.tracker, o)
	if err != nil {
		return err
	}
	one.watching, one.members = watching, watching.Tree()
	return s.begin(one)
}

// begin has a runtime that is watched be shown, until it has ended.
func (s *server) begin(one *running) error {
	ctx, leave := context.WithCancel(context.Background())
	one.leave = leave
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		leave()
		return errors.Join(errLeaving, one.watching.Close())
	}
	s.running[one.name] = one
	route, err := s.routes.Attach(one.members, one.tree)
	if err != nil {
		leave()
		delete(s.running, one.name)
		return errors.Join(err, one.watching.Close())
	}
	s.fs.Add(one.tree)
	s.going.Go(func() {
		defer close(one.ended)
		defer leave()
		if err := one.watching.Run(ctx); err != nil && ctx.Err() == nil {
			s.Log.Error("a runtime is not watched any more", "runtime", one.name, "error", err)
		}
		_ = route.Close()
		s.fs.Drop(one.tree)
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.running[one.name] == one {
			delete(s.running, one.name)
		}
	})
	return nil
}

// find returns the runtime of a name and owner, nil where it is not watched.
func (s *server) find(name string, owner process.Identity) *running {
	s.mu.Lock()
	defer s.mu.Unlock()
	if one := s.running[name]; one != nil && one.owner == owner {
		return one
	}
	return nil
}

// end ends the watching of a runtime and leaves it as it is.
func (s *server) end(name string, owner process.Identity) {
	if one := s.find(name, owner); one != nil {
		one.leave()
		<-one.ended
	}
}

// all returns the runtimes that are watched, by name.
func (s *server) all() (list []*running) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, one := range s.running {
		list = append(list, one)
	}
	slices.SortFunc(list, func(a, b *running) int { return cmp.Compare(a.name, b.name) })
	return list
}

// leaveAll ends the watching of all runtimes, and leaves them as they are.
func (s *server) leaveAll() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	for _, one := range s.all() {
		one.leave()
	}
}
