package router

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync/atomic"

	"github.com/gemini-monitor/gemini/tracker"
	"github.com/gemini-monitor/gemini/tracker/process"
	"github.com/gemini-monitor/gemini/tracker/trees"
)

// A Route is what a router answers for the processes of one tree.
type Route[V any] struct {
	router  *Router[V]
	tree    *tracker.Tree
	ours    bool // the router has begun the tree, and closes it
	value   atomic.Pointer[V]
	stop    context.CancelFunc
	emptied chan struct{} // closed when the tree was found empty
	over    chan struct{} // closed when the route has ended, or can never be found empty
	ended   chan struct{} // closed when the route is out of the table and its goroutine ends
	err     error         // why it was not found empty; written before over is closed
}

// add makes a route and waits for the end of its tree.
func (r *Router[V]) add(tree *tracker.Tree, v V, ours bool) (*Route[V], error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	routes := *r.routes.Load()
	switch {
	case r.closed:
		return nil, ErrClosed
	case routes[tree] != nil:
		return nil, ErrRouted
	}
	ctx, stop := context.WithCancel(context.Background())
	route := &Route[V]{router: r, tree: tree, ours: ours, stop: stop,
		emptied: make(chan struct{}), over: make(chan struct{}), ended: make(chan struct{})}
	route.value.Store(&v)
	routes = maps.Clone(routes)
	routes[tree] = route
	r.change(routes, append(slices.Clone(r.order), route))
	r.going.Go(func() { route.follow(ctx) })
	return route, nil
}

// change replaces the routes. It is called with the lock held.
func (r *Router[V]) change(routes map[*tracker.Tree]*Route[V], order []*Route[V]) {
	r.routes.Store(&routes)
	r.order = order
	r.finder.Changed()
}

// remove takes a route out.
func (r *Router[V]) remove(route *Route[V]) {
	r.mu.Lock()
	defer r.mu.Unlock()
	routes := maps.Clone(*r.routes.Load())
	delete(routes, route.tree)
	r.change(routes, slices.DeleteFunc(slices.Clone(r.order), func(other *Route[V]) bool { return other == route }))
}

// follow waits for the end of the tree. A tree that can never be found empty keeps its
// route until the caller closes that.
func (t *Route[V]) follow(ctx context.Context) {
	defer close(t.ended)
	err := t.tree.Wait(ctx)
	if errors.Is(err, tracker.ErrMayHaveMissed) {
		t.err = err
		close(t.over)
		<-ctx.Done()
	}
	t.router.remove(t)
	t.stop()
	if t.ours {
		_ = t.tree.Close() // the tracker may have ended
	}
	switch {
	case err == nil:
		close(t.emptied)
		close(t.over)
		if f := t.router.options.Emptied; f != nil {
			f(t)
		}
	case t.err == nil:
		if t.err = err; errors.Is(err, context.Canceled) || errors.Is(err, tracker.ErrClosed) {
			t.err = ErrClosed
		}
		close(t.over)
	}
}

// Value returns what the route answers.
func (t *Route[V]) Value() V { return *t.value.Load() }

// Set has the route answer something else from now on. Its members stay.
func (t *Route[V]) Set(v V) { t.value.Store(&v) }

// Root returns the process that the tree began with. It may be long dead.
func (t *Route[V]) Root() process.Identity { return t.tree.Root() }

// Tree returns the tree, whose members are those of the route and of all inside of it.
func (t *Route[V]) Tree() *tracker.Tree { return t.tree }

// Emptied returns a channel that is closed when the tree was found empty: once its last
// member has ended, and never while that is unknown. It is not closed for a route that
// ended otherwise.
func (t *Route[V]) Emptied() <-chan struct{} { return t.emptied }

// Wait returns nil when the tree was found empty. The error is [ErrClosed] when the route
// was closed before, and [tracker.ErrMayHaveMissed] when the tree has no known member but may
// have others: such a route stays until it is closed.
func (t *Route[V]) Wait(ctx context.Context) error {
	select {
	case <-t.over:
		return t.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Close ends the route, and the tree if the router has begun it. Its members answer as the
// route around does, or as no members. It is no error if the route has ended.
func (t *Route[V]) Close() error {
	t.stop()
	<-t.ended
	return nil
}

// Join makes a member of a process from outside. When Join returns, it answers, and so does
// what it makes from then on. What it has made before stays what it was: Join reads the table
// to know that. The errors are those of [tracker.Tree.Join].
func (t *Route[V]) Join(ctx context.Context, id process.Identity) error {
	made, err := madeBy(id)
	if err != nil {
		return fmt.Errorf("have process %d join: %w", id.PID, err)
	}
	if err := t.tree.Join(ctx, id, made); err != nil {
		return err
	}
	t.router.finder.Changed()
	return nil
}

// Leave takes a member out, with all that descends from it now and later. They answer as
// the route around does, or as no members, and the route can be empty while they live. The
// errors are those of [tracker.Tree.Release].
func (t *Route[V]) Leave(member process.Identity) error {
	_, err := t.tree.Release(member)
	t.router.finder.Changed()
	return err
}

// History returns what is known of the tree, for [Router.Adopt] of a later program. The
// marks are not known here: who has given one to the tree adds it.
func (t *Route[V]) History() (h trees.History) {
	for _, m := range t.tree.Members() {
		h.Members = append(h.Members, m.Identity)
	}
	for _, m := range t.tree.Released() {
		h.Released = append(h.Released, m.Identity)
	}
	h.Strangers = t.tree.Strangers()
	return h
}

// madeBy returns the processes below one, and those in a group or session of its making.
func madeBy(id process.Identity) (made []process.Identity, err error) {
	rows, err := process.Table()
	if err != nil {
		return nil, err
	}
	below := map[int]bool{id.PID: true}
	for again := true; again; {
		again = false
		for _, p := range rows {
			if !below[p.PID] && (below[p.Parent] || p.Group == id.PID || p.Session == id.PID) {
				below[p.PID], again = true, true
				made = append(made, p.Identity)
			}
		}
	}
	return made, nil
}
