package router

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/gemini-monitor/gemini/tracker"
	"github.com/gemini-monitor/gemini/tracker/process"
	"github.com/gemini-monitor/gemini/tracker/trees"
)

// ErrClosed reports the use of a [Router] or a [Route] after its Close, or after the Close
// of its tree or tracker.
var ErrClosed = errors.New("closed")

// ErrRouted reports that a tree has a route already.
var ErrRouted = errors.New("the tree has a route already")

// Options are how a [Router] works. The zero value is the default.
type Options[V any] struct {
	// Emptied, if it is set, is called once for each route whose tree is found empty, and for
	// no other, from a goroutine of the route. The route answers for no process then.
	Emptied func(*Route[V])
	// Unguarded has a member answered for by its PID alone, as long as the tracker knows
	// the member. From the moment in which a member has ended and its PID is free until the
	// tracker has taken the notice of that, a later process with the PID gets the answer of
	// the member. That is some ten microseconds, and as long as one read of the process
	// table at most. On Linux without the proc connector it is as long as the later process
	// lives if both were made within the same 10 ms. Unless Unguarded is set, a look-up makes one system call more, which shows
	// that the member itself is alive.
	Unguarded bool
	// Guards is how many processes are remembered at most, each of which takes a descriptor
	// on Linux. The others are looked up at each call. Zero is a quarter of the limit of
	// descriptors, up to 16,384.
	Guards int
}

// A Router finds the route of a process. Its methods may be called from any goroutine.
type Router[V any] struct {
	tracker *tracker.Tracker
	options Options[V]
	self    int
	shelf   shelf
	guards  *guards
	readers readers
	// routes has the route of each tree that has one. The map is not changed.
	routes atomic.Pointer[map[*tracker.Tree]*Route[V]]
	// epoch counts the changes of routes and members that a caller has asked for.
	epoch  atomic.Uint64
	going  sync.WaitGroup
	mu     sync.Mutex // of those who change the routes
	closed bool
	order  []*Route[V] // oldest first
}

// New returns a router without routes. Close it after use, before the tracker. V is what
// the caller wants to have for a process.
func New[V any](t *tracker.Tracker, o Options[V]) (*Router[V], error) {
	g, err := newGuards()
	if err != nil {
		return nil, fmt.Errorf("open router: %w", err)
	}
	r := &Router[V]{tracker: t, options: o, self: os.Getpid(), guards: g}
	r.shelf.guards, r.shelf.most = g, o.Guards
	if r.shelf.most <= 0 {
		r.shelf.most = mostGuards()
	}
	r.routes.Store(&map[*tracker.Tree]*Route[V]{})
	reader, err := r.readers.take()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open router: %w", err), g.end())
	}
	r.readers.give(reader)
	return r, nil
}

// Of returns the value of the innermost route that the process with a PID belongs to. On
// Linux it may be the PID of a thread, as FUSE has it. It is not ok for a process of no
// route, and for what is no process: zero, a negative number, a PID that is free.
//
// The caller keeps the process from ending during the call, as a file system does by not
// answering it. For a process that was asked about before, Of takes no lock, waits for
// nothing and makes no garbage. For any other it looks up the process and its ancestors, and
// for one that descends from no member it waits, for a limited time, until the tracker has
// taken the notices that there are.
func (r *Router[V]) Of(pid int) (v V, ok bool) {
	route, ok := r.RouteOf(pid)
	if !ok {
		return v, false
	}
	return route.Value(), true
}

// RouteOf returns the route whose value Of returns.
func (r *Router[V]) RouteOf(pid int) (*Route[V], bool) {
	if r.options.Unguarded {
		if tree, ok := r.tracker.PlaceOf(pid).Tree(); ok {
			return r.routeOf(tree)
		}
	}
	s := r.shelf.seats.Load(pid)
	if s == nil || !r.holds(s) {
		return r.find(pid)
	}
	s.use()
	return r.routeOf(s.tree)
}

// routeOf returns the route of the nearest tree that has one. The tree may be nil.
func (r *Router[V]) routeOf(tree *tracker.Tree) (*Route[V], bool) {
	routes := *r.routes.Load()
	for tree != nil {
		if route := routes[tree]; route != nil {
			return route, true
		}
		tree, _ = tree.Around()
	}
	return nil, false
}

// Register begins a route for a living process, and for all that descends from it now and
// later. When Register returns, the process is watched, and all of those answer. A root that
// has a route, also the innermost, gets one inside of that: the newer one answers, for its
// descendants too, and the older one is empty no sooner.
//
// What the root has made before, and what is an orphan by then, is found only if a link
// leads to it (docs/how-it-knows.md): a caller has the root wait until it is registered.
// The error is [process.ErrGone] where the root is not alive, and those of
// [tracker.Tracker.Follow].
func (r *Router[V]) Register(ctx context.Context, root process.Identity, v V) (*Route[V], error) {
	route, err := r.register(ctx, root, v)
	if err != nil {
		return nil, fmt.Errorf("register process %d: %w", root.PID, err)
	}
	return route, nil
}

func (r *Router[V]) register(ctx context.Context, root process.Identity, v V) (*Route[V], error) {
	if root.PID == r.self {
		return nil, tracker.ErrSelf
	}
	now, err := process.Lookup(root.PID)
	if err != nil {
		return nil, err
	}
	if now.Identity != root || now.State == process.Zombie {
		return nil, process.ErrGone
	}
	return r.follow(ctx, root, trees.History{Members: []process.Identity{root}}, v)
}

// Adopt begins a route for a tree of which something is known, as [Route.History] returned
// it: after a restart of the calling program, for instance. It is no error where all members
// are dead. The route is found empty then.
func (r *Router[V]) Adopt(ctx context.Context, root process.Identity, h trees.History, v V) (*Route[V], error) {
	route, err := r.follow(ctx, root, h, v)
	if err != nil {
		return nil, fmt.Errorf("adopt the tree of process %d: %w", root.PID, err)
	}
	return route, nil
}

func (r *Router[V]) follow(ctx context.Context, root process.Identity, h trees.History, v V) (*Route[V], error) {
	tree, err := r.tracker.Follow(ctx, root, h)
	if err != nil {
		return nil, err
	}
	route, err := r.add(tree, v, true)
	if err != nil {
		return nil, errors.Join(err, tree.Close())
	}
	return route, nil
}

// Attach begins a route for a tree that its caller has begun, with the tracker of the
// router. The tree stays the caller's: Close of the route does not close it, and Close of the
// tree ends the route. The error is [ErrRouted] where it has a route.
func (r *Router[V]) Attach(tree *tracker.Tree, v V) (*Route[V], error) {
	route, err := r.add(tree, v, false)
	if err != nil {
		return nil, fmt.Errorf("attach the tree of process %d: %w", tree.Root().PID, err)
	}
	return route, nil
}

// Routes returns the routes that have not ended, oldest first.
func (r *Router[V]) Routes() []*Route[V] {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.order)
}

// Close ends the router and its routes. The tracker stays the caller's.
func (r *Router[V]) Close() error {
	r.mu.Lock()
	if r.closed {
		r.mu.Unlock()
		return ErrClosed
	}
	r.closed = true
	open := slices.Clone(r.order)
	r.mu.Unlock()
	var err error
	for _, route := range open {
		err = errors.Join(err, route.Close())
	}
	r.going.Wait()
	r.shelf.shut()
	r.readers.close()
	return errors.Join(err, r.guards.end())
}
