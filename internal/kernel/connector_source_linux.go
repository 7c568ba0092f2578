package kernel

import (
	"errors"
	"io/fs"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gemini-monitor/gemini/internal/core"
	"github.com/gemini-monitor/gemini/tracker/process"
)

// A connectorSource takes its notices from the proc connector: every fork with
// the PID of the child, in the order in which things happened. A goroutine
// keeps the kernel's buffer empty between the calls of Next.
type connectorSource struct {
	boot   string
	socket *connectorSocket
	reader *process.Reader
	lookup func(pid int) (process.Row, error) // the reader's
	// pidfds watches processes whose first thread has ended before the others. Next
	// waits in it.
	pidfds    *pidfdSource
	exits     []core.Notice
	dead      []int // found dead, exit not returned yet
	goroutine sync.WaitGroup
	gate      *gate
	stopped   atomic.Bool

	mu       sync.Mutex // also held while receiving, to keep the order
	queue    []procEvent
	failed   error
	children bool // they are watched too
	lose     func(what process.Events, pid, child int) bool
	watched  map[int]subject
	pace     pace
	arms     arms
}

func newConnectorSource() (_ *connectorSource, err error) {
	s := &connectorSource{watched: make(map[int]subject)}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.release())
		}
	}()
	if s.boot, err = process.Boot(); err != nil {
		return nil, err
	}
	if s.socket, err = openConnector(); err != nil {
		return nil, err
	}
	if s.gate, err = newGate(s.socket.fd); err != nil {
		return nil, err
	}
	if s.reader, err = process.OpenReader(); err != nil {
		return nil, err
	}
	if s.pidfds, err = newPidfdSource(); err != nil {
		return nil, err
	}
	s.pace = newPace(s.socket.buffer(), runtime.NumCPU())
	s.lookup = s.reader.Lookup
	s.goroutine.Go(s.keepEmpty)
	return s, nil
}

// keepEmpty is the reader: it empties the kernel's buffer until the source is
// closed.
func (s *connectorSource) keepEmpty() {
	for !s.stopped.Load() {
		err := s.gate.await()
		if err == nil && !s.stopped.Load() {
			err = s.gate.rest(s.batch()) // reads in batches
		}
		if err != nil {
			s.mu.Lock()
			s.failed = err
			s.mu.Unlock()
			s.Wake()
			return
		}
	}
}

func (s *connectorSource) Forks() process.Forks { return process.ForksNamed }

func (s *connectorSource) Inherit() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.children = true
}

// Add subscribes to nothing: the connector reports all processes. It marks the PID as
// watched before it looks the process up: in the other order an exit between the two
// would be dropped. The look-up finds a process that died earlier, whose events are gone.
// Add first receives what is in the kernel's buffer: those events count only if the PID
// was watched before.
func (s *connectorSource) Add(pid int) error {
	s.receive()
	s.pidfds.Remove(pid)
	s.watch(pid, 0)
	p, err := s.lookup(pid)
	if errors.Is(err, fs.ErrPermission) {
		p, err = process.Row{Process: process.Process{Identity: process.Identity{Start: unread}}}, nil // it lives
	}
	if err == nil && p.State == process.Zombie {
		err = process.ErrGone
	}
	if err == nil && p.Headless {
		err = s.pidfds.Add(pid) // the end of the first thread was its last event
	}
	if err != nil {
		s.Remove(pid)
		return err
	}
	s.watch(pid, p.Start)
	return nil
}

func (s *connectorSource) Next(notices []core.Notice, timeout time.Duration) (_ []core.Notice, err error) {
	s.arm()
	if notices, err = s.take(notices); err != nil || len(notices) > 0 {
		return notices, err
	}
	if s.exits, err = s.pidfds.Next(s.exits[:0], timeout); err != nil {
		return notices, err
	}
	for _, n := range s.exits {
		notices = s.checkEnd(notices, n.PID)
	}
	return s.take(notices)
}

// receive moves what the kernel has to the queue and reports whether there is
// anything in it. It drops events about processes that are not watched.
func (s *connectorSource) receive() (any bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	known := len(s.queue)
	queue, err := s.socket.receive(s.queue)
	if err != nil && s.failed == nil {
		s.failed = err
	}
	s.queue = queue[:known]
	s.arms.since = time.Now()
	s.pace.take(len(queue)-known, false, false)
	for _, e := range queue[known:] {
		if !s.concerns(e) || s.lost(e) {
			continue
		}
		s.pace.take(0, true, e.what == eventLost)
		if e.what == procFork {
			s.expect(e.child)
		}
		s.queue = append(s.queue, e)
	}
	return len(s.queue) > 0 || s.failed != nil
}

// concerns reports whether an event is about a watched process, or gives the PID of one
// to another process.
func (s *connectorSource) concerns(e procEvent) bool {
	_, watched := s.watched[e.pid]
	if !watched && e.what == procFork {
		_, watched = s.watched[e.child]
	}
	return watched || e.what == eventLost
}

// take appends the notices that all events up to now amount to. It drains the kernel's
// queue once more before it reports an exit: the last events of a dead process may
// still be there. Where processes die faster than that is done, it leaves the last ones
// to the next call, but returns some notices.
func (s *connectorSource) take(notices []core.Notice) ([]core.Notice, error) {
	for round := 0; ; round++ {
		dead := s.dead
		s.dead = nil
		s.receive()
		s.mu.Lock()
		queue, err := s.queue, s.failed
		s.queue = nil
		s.mu.Unlock()
		for _, e := range queue {
			notices = s.translate(notices, e)
		}
		for _, pid := range dead {
			notices = s.announceExit(notices, pid)
		}
		if len(s.dead) == 0 || err != nil || round >= takeRounds && len(notices) > 0 {
			return notices, err
		}
	}
}

// takeRounds is how often take drains the queue again for exits of the last time.
const takeRounds = 16

// translate appends the notices that an event amounts to.
func (s *connectorSource) translate(notices []core.Notice, e procEvent) []core.Notice {
	if e.what == procFork {
		s.replace(e.child, e.at)
		notices = s.announceExit(notices, e.child) // of the process that had its PID
		defer s.born(e.child)                      // after it is watched: the reader drops what is not
	}
	if e.what != eventLost && !s.watches(e.pid) {
		return notices // the PID is another process's by now
	}
	switch e.what {
	case eventLost:
		return append(notices, core.Notice{Lost: true})
	case procFork:
		return s.announceFork(notices, e)
	case procExec:
		found, err := s.rowOf(e.pid)
		if err != nil {
			return notices // what it was stays known, and the next read shows the rest
		}
		return append(notices, core.Notice{PID: e.pid, Events: process.Execed, Found: found})
	case procExit:
		notices = s.checkEnd(notices, e.pid)
	}
	return notices
}

// announceFork appends the birth of a child, which is watched from then on. A child that
// cannot be looked up, where there is no descriptor for instance, is left to the table:
// the notice is that of a loss.
func (s *connectorSource) announceFork(notices []core.Notice, e procEvent) []core.Notice {
	child, err := s.rowOf(e.child)
	if err != nil {
		return append(notices, core.Notice{Lost: true})
	}
	if child.Start > bornBy(e.at) {
		child = s.unknown(e.child) // another one by now
	}
	start := child.Start
	if child.Hidden {
		start = unread
	}
	if s.children {
		s.watchNewborn(child.PID, start)
	}
	return append(notices, core.Notice{PID: e.pid, Events: process.Forked, Child: e.child, Found: child})
}

// rowOf looks a process up. The row of one that is gone has a start time of zero, and so
// has that of one that is hidden, which lives. Any other error is returned.
func (s *connectorSource) rowOf(pid int) (process.Row, error) {
	p, err := s.lookup(pid)
	switch {
	case errors.Is(err, process.ErrGone):
		return s.unknown(pid), nil
	case errors.Is(err, fs.ErrPermission):
		p = s.unknown(pid)
		p.Hidden = true
	case err != nil:
		return process.Row{}, err
	}
	p.State = process.Running // its exit is a notice of its own
	return p, nil
}

// unknown is the row of a process of which only the PID is known.
func (s *connectorSource) unknown(pid int) process.Row {
	return process.Row{Process: process.Process{Identity: process.Identity{PID: pid, Boot: s.boot}}}
}

func (s *connectorSource) Wake() { s.pidfds.Wake() }

func (s *connectorSource) Close() error {
	s.stop()
	return s.release()
}

// stop ends the reader.
func (s *connectorSource) stop() {
	s.stopped.Store(true)
	s.gate.ring()
	s.goroutine.Wait()
}

// release closes what was opened.
func (s *connectorSource) release() (err error) {
	if s.pidfds != nil {
		err = s.pidfds.Close()
	}
	if s.reader != nil {
		s.reader.Close()
	}
	if s.gate != nil {
		err = errors.Join(err, s.gate.close())
	}
	if s.socket != nil {
		err = errors.Join(err, s.socket.close())
	}
	return err
}
