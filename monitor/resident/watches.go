package resident

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"sync"

	"github.com/gemini-monitor/gemini/monitor"
	"github.com/gemini-monitor/gemini/tracker"
	"github.com/gemini-monitor/gemini/tracker/process"
	"github.com/gemini-monitor/gemini/tracker/router"
)

// watches are the runtimes that a resident watches. Each has a goroutine of its own while there
// is something to do for it, so that one whose file system hangs holds up no other.
type watches struct {
	tracker  *tracker.Tracker
	finder   *router.Finder
	releases monitor.ReleaseNotifier
	reserve  *monitor.Reserve
	counts   monitor.Counts
	log      *slog.Logger
	format   func(runtime *monitor.Runtime) *slog.Logger // the log of a runtime
	stirred  func()                                      // called when one has ended
	failed   func(error)                                 // called when the tracker has
	history  onceEach                                    // what keeps the history from being written

	mu     sync.Mutex
	all    map[key]*watch
	trees  map[*tracker.Tree]*watch // whose trees they are
	closed bool
	going  sync.WaitGroup // of each watch until it has ended
}

// A key names a runtime. A later one of the same name has another owner.
type key struct {
	name  string
	owner process.Identity
}

// A watch is one runtime that a resident watches, or is about to.
type watch struct {
	key
	runtime *monitor.Runtime
	leave   func()
	shift   shift         // what is done for it once it is watched
	tree    *tracker.Tree // once it is watched; guarded by the lock of the watches
	begun   chan struct{} // closed when it is watched, or cannot be
	err     error         // why it cannot be; written before begun is closed
	// watching is set before begun is closed, unless err is.
	watching *monitor.Watching
	ended    chan struct{} // closed when it is not watched any more
}

// mostRemembered is how many processes are remembered that others have asked about, each of which
// takes a descriptor on Linux.
const mostRemembered = 256

// errLeaving reports that the resident is about to end.
var errLeaving = errors.New("the resident monitor is about to end")

// begin watches the runtime of an owner, and returns when that has begun. It is no error
// if it is watched already. The owner waits for the answer, or else the runtime is one
// that had a monitor before, or whose start has died.
func (w *watches) begin(r *monitor.Runtime, owner process.Identity, waits bool) (*watch, error) {
	one, err := w.add(r, owner, waits)
	if err != nil {
		return nil, err
	}
	<-one.begun
	return one, one.err
}

func (w *watches) add(r *monitor.Runtime, owner process.Identity, waits bool) (*watch, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return nil, errLeaving
	}
	k := key{r.Name(), owner}
	if one := w.all[k]; one != nil {
		return one, nil
	}
	ctx, cancel := context.WithCancel(context.Background())
	one := &watch{key: k, runtime: r, begun: make(chan struct{}), ended: make(chan struct{})}
	one.leave = func() {
		cancel()
		one.shift.call()
	}
	w.all[k] = one
	w.going.Go(func() { w.attach(ctx, one, waits) })
	return one, nil
}

// attach begins to watch a runtime.
func (w *watches) attach(ctx context.Context, one *watch, waits bool) {
	goesOn := false
	defer func() {
		if !goesOn {
			w.drop(one)
		}
	}()
	defer w.recover(one)
	o := monitor.Options{
		Log: w.format(one.runtime), Releases: &w.releases, Reserve: w.reserve, Counts: &w.counts, HistoryFailed: w.historyFailed,
		Owner: one.owner, Waits: waits,
	}
	watching, err := one.runtime.Attach(ctx, w.tracker, o)
	if err != nil && ctx.Err() != nil {
		err = errLeaving
	}
	if one.err = err; err != nil {
		close(one.begun)
		return
	}
	w.own(one, watching.Tree())
	goesOn, one.watching = true, watching
	w.going.Add(1)
	close(one.begun) // before a defect could show in advance, which would close it too
	watching.Notify(one.shift.call)
	one.shift.begin(func() (over bool) { return w.advance(ctx, one, watching) })
}

// historyFailed logs why the history lacks a runtime, each reason once: thousands may end.
func (w *watches) historyFailed(err error) {
	if w.history.isNew(err.Error()) {
		w.log.Warn("the history lacks runtimes that end", "error", err)
	}
}

// advance does what there is to do for a runtime. It is over when the runtime has ended or the
// watching is left, and after a defect.
func (w *watches) advance(ctx context.Context, one *watch, watching *monitor.Watching) (over bool) {
	over = true
	defer func() {
		if over {
			w.drop(one)
			w.going.Done()
		}
	}()
	defer w.recover(one)
	done, err := watching.Advance(ctx)
	if err != nil && ctx.Err() == nil {
		w.log.Error("a runtime is not watched any more", "runtime", one.name, "error", err)
		w.failed(err)
	}
	over = done
	return over
}

// own remembers whose tree it is.
func (w *watches) own(one *watch, tree *tracker.Tree) {
	w.mu.Lock()
	defer w.mu.Unlock()
	one.tree = tree
	w.trees[tree] = one
	w.finder.Changed()
}

// which returns the innermost runtime that the process with a PID is a member of, and the
// zero key where it is of none that is watched here.
func (w *watches) which(pid int) key {
	tree, ok := w.finder.TreeOf(pid)
	w.mu.Lock()
	defer w.mu.Unlock()
	for ok {
		if one := w.trees[tree]; one != nil {
			return one.key
		}
		tree, ok = tree.Around() // the watching of this one has just ended
	}
	return key{}
}

// drop forgets a watch that has ended.
func (w *watches) drop(one *watch) {
	one.leave()
	w.mu.Lock()
	delete(w.all, one.key)
	delete(w.trees, one.tree)
	w.mu.Unlock()
	close(one.ended)
	w.stirred()
}

// recover keeps a defect that shows in one runtime from ending the others. The runtime
// stays, and is unknown.
func (w *watches) recover(one *watch) {
	defect := recover()
	if defect == nil {
		return
	}
	w.log.Error("a defect ended the watching of a runtime", "runtime", one.name, "defect", defect, "stack", string(debug.Stack()))
	select {
	case <-one.begun:
	default:
		one.err = fmt.Errorf("defect of the monitor: %v", defect)
		close(one.begun)
	}
	if err := one.runtime.Doubt(one.owner, fmt.Sprintf("a defect of its monitor ended the watching: %v", defect)); err != nil {
		w.log.Error("the record of a runtime cannot be written", "runtime", one.name, "error", err)
	}
}

// end ends the watching of a runtime and leaves it as it is. It returns when the lock of
// the runtime is free, also where the resident does not watch it.
func (w *watches) end(name string, owner process.Identity) {
	w.mu.Lock()
	one := w.all[key{name, owner}]
	w.mu.Unlock()
	if one != nil {
		one.leave()
		<-one.ended
	}
}

// close ends the watching of all runtimes, and leaves them as they are. It reports whether
// all has ended before ctx.
func (w *watches) close(ctx context.Context) bool {
	w.mu.Lock()
	w.closed = true
	for _, one := range w.all {
		one.leave()
	}
	w.mu.Unlock()
	ended := make(chan struct{})
	go func() {
		w.going.Wait()
		close(ended)
	}()
	select {
	case <-ended:
		return true
	case <-ctx.Done():
		return false
	}
}

// leaves reports whether nothing more is to be watched.
func (w *watches) leaves() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.closed
}

// onceEach reports which texts are new.
type onceEach struct {
	mu   sync.Mutex
	seen map[string]bool
}

func (o *onceEach) isNew(text string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.seen == nil {
		o.seen = make(map[string]bool)
	}
	isNew := !o.seen[text]
	o.seen[text] = true
	return isNew
}

// names returns the names of the runtimes that are watched, in order.
func (w *watches) names() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	names := []string{}
	for k := range w.all {
		names = append(names, k.name)
	}
	slices.Sort(names)
	return names
}

// closeIdle refuses all that is to be watched from now on, if nothing is watched.
func (w *watches) closeIdle() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = w.closed || len(w.all) == 0
	return w.closed
}

// count returns how many runtimes are watched, or about to be.
func (w *watches) count() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.all)
}
