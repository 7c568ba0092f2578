package service

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"sync"
	"syscall"
	"time"

	"github.com/gemini-monitor/gemini/examples/layerfs/view"
	"github.com/gemini-monitor/gemini/internal/unixsocket"
	"github.com/gemini-monitor/gemini/internal/varlink"
	"github.com/gemini-monitor/gemini/internal/vigil"
	"github.com/gemini-monitor/gemini/monitor"
	"github.com/gemini-monitor/gemini/monitor/resident"
	"github.com/gemini-monitor/gemini/tracker/process"
)

// answering is how long the resident monitor may take to answer one question, with the start
// of another one where it has died. Then the caller gets EIO.
const answering = 2 * time.Second

// starting is how long a resident may take to begin to serve.
const starting = 10 * time.Second

// An asking follows no process. It asks the resident monitor of the store at each call, and
// remembers nothing of a process.
type asking struct {
	Options
	fs     *view.FS
	router *resident.Router
	census census
	shown  shown
	ends   *vigil.Many // of the directories of runtimes; nil where they cannot be watched
	ended  chan struct{}

	ctx   context.Context
	stops context.CancelFunc
	going sync.WaitGroup

	mu     sync.Mutex
	wakes  *waking // nil while no resident is being started
	said   string  // the error that was logged last
	saidAt time.Time
}

// A waking is the start of a resident, which several questions may wait for.
type waking struct {
	done chan struct{}
	err  error
}

func newAsking(o Options) (_ following, err error) {
	a := &asking{Options: o, ended: make(chan struct{}, 1)}
	if a.router, err = resident.NewRouter(o.Place.Store); err != nil {
		return nil, err
	}
	a.ctx, a.stops = context.WithCancel(context.Background())
	a.shown.all = make(map[resident.Place]*layers)
	return a, nil
}

// begin has a resident take over what has no monitor. The runtimes that are there are shown
// when they are asked for, but for those that can be found by name.
func (a *asking) begin(ctx context.Context, f *view.FS) {
	a.fs = f
	var err error
	if a.ends, err = vigil.KeepMany(a.reportEnd); err != nil {
		a.Log.Warn("the end of a runtime shows when another one has its name", "error", err)
	}
	a.going.Go(a.dropEnded)
	if a.noLayers() {
		return
	}
	if err := a.wake(ctx); err != nil {
		a.Log.Error("no resident monitor answers; callers get EIO", "error", err)
	}
	a.showAll()
}

func (a *asking) leave() { a.stops() }

func (a *asking) close() error {
	a.mu.Lock()
	a.stops() // nothing goes on from here
	a.mu.Unlock()
	a.ends.Close()
	a.going.Wait()
	return a.router.Close()
}

// Of implements [view.Router].
func (a *asking) Of(pid int) (*view.Tree, error) {
	if isOwn(pid) {
		return nil, nil
	}
	ctx, done := context.WithTimeout(a.ctx, answering)
	defer done()
	tree, err := a.find(ctx, pid)
	if errors.Is(err, errOther) {
		if err = a.wake(ctx); err == nil { // which takes it over where it can
			tree, err = a.find(ctx, pid)
		}
	}
	if err != nil {
		a.complain(pid, err)
		return nil, err
	}
	return tree, nil
}

// quiet is how long an error is not logged again.
const quiet = 10 * time.Second

func (a *asking) complain(pid int, err error) {
	a.mu.Lock()
	text, now := err.Error(), time.Now()
	isNew := text != a.said || now.Sub(a.saidAt) > quiet
	if isNew {
		a.said, a.saidAt = text, now
	}
	a.mu.Unlock()
	if isNew {
		a.Log.Error("callers get EIO: their tree is not known", "pid", pid, "error", err)
	}
}

// find returns the tree of a caller, nil for a stranger. The error is errOther where the
// resident may not know.
func (a *asking) find(ctx context.Context, pid int) (*view.Tree, error) {
	answer, err := a.ask(ctx, pid)
	if err != nil || answer.By == (process.Identity{}) {
		return nil, err
	}
	l := &layers{}
	if answer.Place != (resident.Place{}) {
		if l, err = a.layersOf(ctx, answer.Place); err != nil {
			return nil, err
		}
	}
	return l.tree, a.census.check(a.Place.Store, answer, l.mark)
}

// ask asks the resident. Where none serves, one is started, and asked. No resident has to be
// asked while no runtime has layers: then By is zero.
func (a *asking) ask(ctx context.Context, pid int) (resident.Answer, error) {
	answer, err := a.router.Ask(ctx, pid)
	if err == nil {
		return answer, nil
	}
	if a.noLayers() {
		return resident.Answer{}, nil
	}
	if !isDead(err) || ctx.Err() != nil {
		return resident.Answer{}, err
	}
	if err := a.wake(ctx); err != nil {
		return resident.Answer{}, err
	}
	return a.router.Ask(ctx, pid)
}

// isDead reports whether no resident seems to serve.
func isDead(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, unixsocket.ErrRefused) || errors.Is(err, syscall.ECONNRESET) ||
		errors.Is(err, varlink.ErrNoAnswer) || errors.Is(err, process.ErrGone) || errors.Is(err, net.ErrClosed)
}

// noLayers reports whether it is sure that no runtime has layers. A runtime is there as long as
// any process of it, so all callers are strangers then.
func (a *asking) noLayers() bool {
	names, err := a.Place.Store.Names()
	if err != nil || !a.Place.inPlace() {
		return false
	}
	for _, name := range names {
		r, err := a.Place.Store.Runtime(name)
		if err == nil && !hasPayload(r) || errors.Is(err, monitor.ErrNotExist) {
			continue
		}
		return false
	}
	return true
}

// wake has a resident take over all runtimes that have no monitor. It starts one where none
// serves. Calls at the same time share that.
func (a *asking) wake(ctx context.Context) error {
	a.mu.Lock()
	if a.ctx.Err() != nil {
		a.mu.Unlock()
		return errLeaving
	}
	w := a.wakes
	if w == nil {
		w = &waking{done: make(chan struct{})}
		a.wakes = w
		a.going.Go(func() {
			w.err = a.adopt()
			a.mu.Lock()
			a.wakes = nil
			a.mu.Unlock()
			close(w.done)
		})
	}
	a.mu.Unlock()
	select {
	case <-w.done:
		return w.err
	case <-ctx.Done():
		return fmt.Errorf("the resident monitor does not begin to serve: %w", context.Cause(ctx))
	}
}

func (a *asking) adopt() error {
	client, err := a.Place.residentClient()
	if err != nil {
		return err
	}
	ctx, done := context.WithTimeout(a.ctx, starting)
	defer done()
	_, err = client.Adopt(ctx)
	return err
}

func (a *asking) take(ctx context.Context, r *monitor.Runtime, owner process.Identity) error {
	place := resident.Place{Name: r.Name(), Owner: owner}
	l, err := a.layersOf(ctx, place)
	if err == nil && l.tree == nil {
		err = fmt.Errorf("runtime %q has no layers", r.Name())
	}
	if err == nil && l.broken != nil {
		a.forget(l)
		err = l.broken
	}
	return err
}

func (a *asking) end(name string, owner process.Identity) {
	if l := a.shown.find(resident.Place{Name: name, Owner: owner}); l != nil {
		a.forget(l)
	}
}

// join refuses what has no layers. The resident makes the process a member.
func (a *asking) join(ctx context.Context, name string, owner process.Identity, _ monitor.Newcomer) error {
	l, err := a.layersOf(ctx, resident.Place{Name: name, Owner: owner})
	if err == nil && l.tree == nil {
		err = fmt.Errorf("runtime %q has no layers", name)
	}
	return err
}
