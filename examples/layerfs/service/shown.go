package service

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"sync"

	"github.com/gemini-monitor/gemini/examples/layerfs/view"
	"github.com/gemini-monitor/gemini/internal/vigil"
	"github.com/gemini-monitor/gemini/monitor"
	"github.com/gemini-monitor/gemini/monitor/resident"
)

// Layers are what is known of one runtime. They stay as they were when its command began.
type layers struct {
	place   resident.Place
	mark    string
	payload Payload
	tree    *view.Tree    // nil for a runtime without layers: its processes are strangers
	broken  error         // why the layers are not known, or nil
	known   chan struct{} // closed when all of the above is set, or err
	err     error         // why nothing is known; it is looked up again then
}

// shown are the runtimes that were asked for, by name and owner.
type shown struct {
	mu  sync.Mutex
	all map[resident.Place]*layers
}

func (s *shown) find(p resident.Place) *layers {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.all[p]
}

// take returns the layers of a runtime, and whether the caller is to look them up.
func (s *shown) take(p resident.Place) (l *layers, isNew bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if l = s.all[p]; l == nil {
		l, isNew = &layers{place: p, known: make(chan struct{})}, true
		s.all[p] = l
	}
	return l, isNew
}

// drop reports whether the layers were there.
func (s *shown) drop(l *layers) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	there := s.all[l.place] == l
	if there {
		delete(s.all, l.place)
	}
	return there
}

func (s *shown) list() (all []*layers) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range s.all {
		all = append(all, l)
	}
	return all
}

// layersOf returns the layers of a runtime. Those of one are looked up once: the file that
// has them is written before its command begins.
func (a *asking) layersOf(ctx context.Context, p resident.Place) (*layers, error) {
	l, isNew := a.shown.take(p)
	if isNew {
		if l.err = a.lookUp(l); l.err != nil {
			a.shown.drop(l)
		} else if l.tree != nil {
			a.fs.Add(l.tree)
		}
		close(l.known)
		a.reportEnd(vigil.All, 0) // it may have ended meanwhile
	}
	select {
	case <-l.known:
		return l, l.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// lookUp reads what the runtime of an owner has. Its directory is watched first, so that an
// end that is not seen here is reported.
func (a *asking) lookUp(l *layers) error {
	r, err := a.Place.Store.Runtime(l.place.Name)
	if err != nil {
		return err
	}
	if a.ends != nil {
		if err := a.ends.Add(r.Dir()); err != nil && !errors.Is(err, fs.ErrNotExist) {
			a.Log.Warn("the end of a runtime shows when another one has its name", "runtime", r.Name(), "error", err)
		}
	}
	payload, unread := readPayload(r)
	if l.mark, err = markOf(r, l.place); err != nil {
		return err // and what was read may be another's
	}
	switch {
	case errors.Is(unread, fs.ErrNotExist):
		return nil
	case unread != nil:
		l.broken = unread
	default:
		l.payload = payload
	}
	l.tree = &view.Tree{Name: r.Name()}
	if l.broken == nil {
		l.tree.Stack, l.broken = payload.stack(r, a.Patience)
	}
	if l.broken != nil {
		a.Log.Error("the processes of a runtime get EIO", "runtime", r.Name(), "error", l.broken)
	}
	return nil
}

// markOf returns the own mark of the runtime of an owner. The error is [monitor.ErrNotExist]
// where that is gone, and another one may have its name.
func markOf(r *monitor.Runtime, p resident.Place) (mark string, err error) {
	record, err := r.Record()
	if err == nil && record.Owner != p.Owner {
		err = fmt.Errorf("runtime %q of process %d %w any more", p.Name, p.Owner.PID, monitor.ErrNotExist)
	}
	if n := len(record.Marks); n > 0 {
		mark = record.Marks[n-1]
	}
	return mark, err
}

// forget ends what is shown of a runtime.
func (a *asking) forget(l *layers) {
	<-l.known
	if a.shown.drop(l) && l.tree != nil {
		a.fs.Drop(l.tree)
	}
}

// reportEnd is called when the directory of a runtime may have lost its name.
func (a *asking) reportEnd(path string, c vigil.Change) {
	if path != vigil.All && c&(vigil.Moved|vigil.Removed) == 0 {
		return
	}
	select {
	case a.ended <- struct{}{}:
	default:
	}
}

// dropEnded forgets the runtimes that have ended, until the service ends.
func (a *asking) dropEnded() {
	for {
		select {
		case <-a.ended:
		case <-a.ctx.Done():
			return
		}
		for _, l := range a.shown.list() {
			a.dropOne(l)
		}
	}
}

func (a *asking) dropOne(l *layers) {
	select {
	case <-l.known:
	default:
		return // it is looked at when it is known
	}
	r, err := a.Place.Store.Runtime(l.place.Name)
	if err == nil {
		_, err = markOf(r, l.place)
	}
	if errors.Is(err, monitor.ErrNotExist) {
		a.forget(l)
	}
}

// showAll shows the runtimes that have layers, so that they are found by name.
func (a *asking) showAll() {
	names, err := a.Place.Store.Names()
	if err != nil {
		a.Log.Error("the store cannot be read", "error", err)
	}
	var all sync.WaitGroup
	for _, name := range names {
		all.Go(func() {
			r, err := a.Place.Store.Runtime(name)
			var record monitor.Record
			if err == nil {
				record, err = r.Record()
			}
			if err == nil && record.State != monitor.StateIdle {
				_, err = a.layersOf(a.ctx, resident.Place{Name: name, Owner: record.Owner})
			}
			if err != nil && !errors.Is(err, monitor.ErrNotExist) {
				a.Log.Warn("a runtime is not shown", "runtime", name, "error", err)
			}
		})
	}
	all.Wait()
}
