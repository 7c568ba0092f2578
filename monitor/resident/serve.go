package resident

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"runtime/debug"
	"sync"
	"time"

	"github.com/gemini-monitor/gemini/internal/unixsocket"
	"github.com/gemini-monitor/gemini/internal/varlink"
	"github.com/gemini-monitor/gemini/internal/vigil"
	"github.com/gemini-monitor/gemini/monitor"
	"github.com/gemini-monitor/gemini/tracker"
	"github.com/gemini-monitor/gemini/tracker/process"
	"github.com/gemini-monitor/gemini/tracker/router"
)

// ErrServed reports that another resident serves the store.
var ErrServed = errors.New("another resident monitor serves the store")

// Forever is the idle time of a resident that does not end by itself.
const Forever time.Duration = -1

// Options are the choices of a resident.
type Options struct {
	// Store is what it watches.
	Store *monitor.Store
	// Lock is the locked file that [Client] passes on, or nil. Serve closes it.
	Lock *os.File
	// Idle is how long it stays when it has nothing to watch.
	Idle time.Duration
	// Version is that of the program, as Go writes the version of a module.
	Version string
	// Log receives what it logs of itself, and RuntimeLog what it logs of a runtime.
	Log        *slog.Logger
	RuntimeLog func(*monitor.Runtime) *slog.Logger
	// Ready is called when it answers.
	Ready func() error
	// Guard is what starts it anew when it dies, or nil.
	Guard *Pair
	// Apart are processes that the caller has started for itself. They are members of no
	// runtime.
	Apart []process.Identity
}

// Serve watches the runtimes of a store, those that have no monitor at once, and others
// as their owners ask for it. It returns nil when there was nothing to watch for a while,
// when ctx ends, and when a newer program takes its place. Then all runtimes stay as they
// are. The error is [ErrServed] where another resident has the store. After an error that
// another process may not have, the guard starts that process, once there is one.
func Serve(ctx context.Context, o Options) error {
	s := &server{
		Options: o, stir: make(chan struct{}, 1), swept: make(chan struct{}, 1), handed: make(chan struct{}),
		settled: make(chan struct{}), failed: make(chan error, 1), answered: make(chan struct{}),
	}
	s.answer = sync.OnceFunc(func() { close(s.answered) })
	err := s.open(ctx)
	if err == nil {
		err = s.serve(ctx)
	}
	err = errors.Join(err, s.close())
	if err == nil || errors.Is(err, ErrServed) || errors.Is(err, errReplaced) {
		o.Guard.close() // not deferred: a panic is no good order
	}
	return err
}

// A server is a resident that serves.
type server struct {
	Options
	self     process.Identity
	started  time.Time
	watches  watches
	protocol *varlink.Server
	stir     chan struct{} // something has ended
	swept    chan struct{} // a sweep has
	handed   chan struct{} // closed when a newer program takes over
	handOnce sync.Once
	answered chan struct{} // closed when all that was asked at first is answered, or after a while
	answer   func()        // closes it, once
	sweeping sweep
	before   process.Identity // of the resident that served before
	settled  chan struct{}    // closed when what it has left is taken over
	early    []Finding        // what that has found; written before settled is closed
	failed   chan error       // why the tracker follows nothing any more
	doors    sync.WaitGroup   // what serves the present door, and earlier ones

	vigil *vigil.Vigil // nil where there is none
	shut  string       // why there is no socket, as the log has it; only for serve

	mu    sync.Mutex
	door  *unixsocket.Listener
	busy  int  // requests in work
	asked bool // a request has come
}

// open takes the lock of the store and begins to answer.
func (s *server) open(ctx context.Context) error {
	if err := s.takeLock(ctx); err != nil {
		return err
	}
	if last, err := ReadCard(s.Store); err == nil {
		s.before = last.Process
	}
	var err error
	if s.self, err = process.Self(); err != nil {
		return err
	}
	s.started = time.Now().UTC()
	card := Card{Process: s.self, Version: s.Version, Started: s.started}
	card.Host, _ = os.Hostname()
	if err := card.write(s.Lock); err != nil {
		s.Log.Warn("the lock file does not tell who serves", "error", err)
	}
	t, err := tracker.New(tracker.Options{Apart: s.Apart})
	if err != nil {
		return err
	}
	reserve, err := monitor.NewReserve()
	if err != nil {
		return errors.Join(err, t.Close())
	}
	finder, err := router.NewFinder(t, mostRemembered)
	if err != nil {
		return errors.Join(err, reserve.Close(), t.Close())
	}
	s.watches = watches{
		tracker: t, finder: finder, reserve: reserve, log: s.Log, format: s.RuntimeLog, stirred: s.stirred, failed: s.fail,
		all: make(map[key]*watch), trees: make(map[*tracker.Tree]*watch),
	}
	s.protocol = s.methods()
	if s.vigil, err = keepVigil(s.Store.Dir(), s.stirred); err != nil {
		s.Log.Warn("that the socket is removed will be noticed late", "error", err)
	}
	if err := s.listen(); err != nil {
		return err
	}
	by := t.Capabilities()
	s.Log.Info("serving", "store", s.Store.Dir(), "version", s.Version, "by", by.Mechanism, "forks", by.Forks)
	return nil
}

// serve adopts what is there and answers until the resident is to end.
func (s *server) serve(ctx context.Context) error {
	if s.Ready != nil {
		_ = s.Ready() // where the starter has died, others ask
	}
	// The guard starts later: the client that waits for the first answer needs the processor.
	late := time.AfterFunc(welcome, s.answer)
	defer late.Stop()
	s.Guard.watch(s.Log, s.answered)
	s.begin(ctx)
	began := time.Now()
	idle := time.NewTimer(max(s.Idle, welcome))
	defer idle.Stop()
	beat := time.NewTimer(0)
	defer beat.Stop()
	calm := time.NewTimer(calmAfter)
	defer calm.Stop()
	tend := func() {
		if wait := s.sweeping.begin(s.Store, s.watches.names, s.watchesNone(), s.swept); wait > 0 {
			beat.Reset(wait)
		}
		if s.idle() {
			idle.Reset(s.patience(time.Since(began)))
		}
	}
	for {
		select {
		case <-ctx.Done():
			s.Log.Info("stopped; the runtimes stay", "cause", context.Cause(ctx))
			return nil
		case err := <-s.failed:
			return fmt.Errorf("follow processes: %w", err)
		case <-s.handed:
			s.Log.Info("stopped; a newer program goes on")
			return nil
		case <-s.stir:
			if err := s.lookAround(); err != nil {
				return err
			}
			tend()
			calm.Reset(calmAfter)
		case <-s.swept: // what it has used is little: no memory is given back for it
			tend()
		case <-beat.C:
			tend()
		case <-calm.C:
			debug.FreeOSMemory() // once: Go keeps what a crowd of starts has used
		case <-idle.C:
			if s.Idle != Forever && s.leave() {
				s.Log.Info("ended; there is nothing to watch")
				return nil
			}
		}
	}
}

// begin adopts what is there, in a goroutine: a file system that does not answer keeps no
// client, and no signal, waiting.
func (s *server) begin(ctx context.Context) {
	s.work(+1)
	s.watches.going.Go(func() {
		defer s.stirred()
		defer s.work(-1)
		defer s.sweeping.want()
		defer close(s.settled)
		s.awaitEnd(ctx)
		var err error
		if s.early, err = s.watches.adopt(s.Store); err != nil && !errors.Is(err, errLeaving) {
			s.Log.Warn("runtimes without a monitor stay as they are", "error", err)
		}
	})
}

// fail ends the resident: its tracker follows nothing any more. The next process has
// another one.
func (s *server) fail(err error) {
	select {
	case s.failed <- err:
	default: // it ends already
	}
}

// close ends what open began. Runtimes that are watched stay as they are. The end of the
// process ends what does not end by itself: a file system may not answer.
func (s *server) close() (err error) {
	s.vigil.Close()
	if s.door != nil {
		err = errors.Join(s.door.Unlink(), s.door.Close())
	}
	if s.watches.tracker != nil {
		limited, done := context.WithTimeout(context.Background(), quick)
		defer done()
		if s.watches.close(limited) {
			s.doors.Wait()
			_ = s.protocol.Wait(limited)
			err = errors.Join(err, s.watches.finder.Close(), s.watches.tracker.Close(), s.watches.reserve.Close())
		} else {
			s.Log.Warn("the watching of a runtime does not end", "runtimes", s.watches.names())
		}
	}
	if s.Lock != nil {
		err = errors.Join(err, s.Lock.Close()) // last: the next resident may begin
	}
	return err
}
