package kernel

import (
	"errors"
	"math"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/gemini-monitor/gemini/internal/core"
	"github.com/gemini-monitor/gemini/tracker/process"
)

// A connectorSource takes its notices from the proc connector: every fork with
// the PID of the child, in the order in which things happened. A goroutine
// keeps the kernel's buffer empty while nobody is in next.
type connectorSource struct {
	boot   string
	socket *connectorSocket
	reader *process.Reader
	lookup func(pid int) (process.Row, error) // the reader's
	// pidfds watch processes whose first thread has ended before the others,
	// and make next wait and wake.
	pidfds    *pidfdSource
	exits     []core.Notice
	dead      []int // found dead, and not said yet
	goroutine sync.WaitGroup

	mu       sync.Mutex // also held while receiving, to keep the order
	queue    []procEvent
	failed   error
	children bool // they are watched too
	watched  map[int]subject
}

// breather is how long the reader rests after it has read. An event seldom comes
// alone, on a machine that builds something for instance, and reading them one by
// one costs a wake-up each. The kernel's buffer holds what comes meanwhile.
const breather = 2 * time.Millisecond

func newConnectorSource() (_ *connectorSource, err error) {
	s := &connectorSource{watched: make(map[int]subject)}
	if s.boot, err = process.Boot(); err != nil {
		return nil, err
	}
	if s.socket, err = openConnector(); err != nil {
		return nil, err
	}
	if s.reader, err = process.OpenReader(); err != nil {
		return nil, errors.Join(err, s.socket.close())
	}
	if s.pidfds, err = newPidfdSource(); err != nil {
		s.reader.Close()
		return nil, errors.Join(err, s.socket.close())
	}
	s.lookup = s.reader.Lookup
	s.goroutine.Go(s.keepEmpty)
	return s, nil
}

// keepEmpty is the reader: it empties the kernel's buffer until the source is
// closed.
func (s *connectorSource) keepEmpty() {
	err := s.socket.await(func() {
		if s.receive() {
			s.Wake()
		}
		time.Sleep(breather) // to read in batches: nothing is waited for
	})
	if err != nil {
		s.mu.Lock()
		s.failed = err
		s.mu.Unlock()
		s.Wake()
	}
}

func (s *connectorSource) Forks() process.Forks { return process.ForksNamed }

func (s *connectorSource) Inherit() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.children = true
}

// add needs nothing of the kernel, which speaks of everybody. Whoever died
// before has nothing more to announce though. So: watch first, then look; the
// other way round an exit between the two would be dropped. What is in the
// kernel's buffer by now is about the time before, and counts only if the process
// was watched then.
func (s *connectorSource) Add(pid int) error {
	s.receive()
	s.pidfds.Remove(pid)
	s.watch(pid, 0)
	p, err := s.lookup(pid)
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
	if notices, err = s.take(notices); err != nil || len(notices) > 0 {
		return notices, err
	}
	if s.exits, err = s.pidfds.Next(s.exits[:0], timeout); err != nil {
		return notices, err
	}
	for _, n := range s.exits {
		notices = s.examine(notices, n.PID)
	}
	return s.take(notices)
}

// receive moves what the kernel has to the queue and reports whether there is
// anything in it. Events about others are dropped here, so that they cost no
// more than this.
func (s *connectorSource) receive() (any bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	known := len(s.queue)
	queue, err := s.socket.receive(s.queue)
	if err != nil && s.failed == nil {
		s.failed = err
	}
	s.queue = queue[:known]
	for _, e := range queue[known:] {
		if !s.concerns(e) {
			continue
		}
		if e.what == procFork {
			s.expect(e.child)
		}
		s.queue = append(s.queue, e)
	}
	return len(s.queue) > 0 || s.failed != nil
}

// concerns reports whether an event is about somebody who is watched, or tells
// that his PID is a stranger's from now on.
func (s *connectorSource) concerns(e procEvent) bool {
	_, watched := s.watched[e.pid]
	if !watched && e.what == procFork {
		_, watched = s.watched[e.child]
	}
	return watched || e.what == eventLost
}

// take appends the notices that all events up to now amount to. What somebody
// did who is found dead is in the kernel's queue by then, perhaps not yet in
// ours, so the end is said after one more look.
func (s *connectorSource) take(notices []core.Notice) ([]core.Notice, error) {
	for {
		dead := s.dead
		s.dead = nil
		s.receive()
		s.mu.Lock()
		queue, err := s.queue, s.failed
		s.queue = nil
		s.mu.Unlock()
		for _, e := range queue {
			notices = s.notice(notices, e)
		}
		for _, pid := range dead {
			notices = s.announceExit(notices, pid)
		}
		if len(s.dead) == 0 || err != nil {
			return notices, err
		}
	}
}

// notice appends what an event means to who watches.
func (s *connectorSource) notice(notices []core.Notice, e procEvent) []core.Notice {
	if e.what == procFork {
		s.succeed(e.child, e.at)
		notices = s.announceExit(notices, e.child) // of the one who had its PID
		defer s.born(e.child)                      // when it is watched: the reader drops what is about nobody
	}
	if e.what != eventLost && !s.watches(e.pid) {
		return notices // a stranger's, by now
	}
	switch e.what {
	case eventLost:
		return append(notices, core.Notice{Lost: true})
	case procFork:
		child := s.find(e.child)
		if child.Start > bornBy(e.at) {
			child = s.unknown(e.child) // another one by now
		}
		if s.children {
			s.watch(child.PID, child.Start)
		}
		return append(notices, core.Notice{PID: e.pid, Events: process.Forked, Child: e.child, Found: child})
	case procExec:
		return append(notices, core.Notice{PID: e.pid, Events: process.Execed, Found: s.find(e.pid)})
	case procExit:
		notices = s.examine(notices, e.pid)
	}
	return notices
}

// examine finds out whether a process has ended, after its first thread has. By
// the time we look, the process may have gone on and ended since: more of its
// events follow. Where nothing can be found out, the notice is lost.
func (s *connectorSource) examine(notices []core.Notice, pid int) []core.Notice {
	dead, err := s.ended(pid)
	if err != nil {
		return append(notices, core.Notice{Lost: true})
	}
	if !dead {
		return notices
	}
	s.pidfds.Remove(pid)
	s.mu.Lock()
	defer s.mu.Unlock()
	if ended, ok := s.watched[pid]; ok && !ended.dead {
		ended.dead = true
		s.watched[pid] = ended
		s.dead = append(s.dead, pid)
	}
	return notices
}

// announceExit says that a process has ended, if that is established and not said.
func (s *connectorSource) announceExit(notices []core.Notice, pid int) []core.Notice {
	s.mu.Lock()
	dead := s.watched[pid].dead
	s.mu.Unlock()
	if !dead {
		return notices
	}
	s.Remove(pid)
	return append(notices, core.Notice{PID: pid, Events: process.Exited})
}

// find looks a process up. One that is gone already has a start time of zero.
func (s *connectorSource) find(pid int) process.Row {
	p, err := s.lookup(pid)
	if err != nil {
		return s.unknown(pid)
	}
	p.State = process.Running // it will be said when it ends
	return p
}

// unknown is the row of a process of which only the PID is known.
func (s *connectorSource) unknown(pid int) process.Row {
	return process.Row{Process: process.Process{Identity: process.Identity{PID: pid, Boot: s.boot}}}
}

// bornBy returns the latest start time of a process that was announced at a
// moment of the monotonic clock. Whoever was born later only has its PID.
//
// The clock that runs on while the machine sleeps is read last. If we have to wait
// for the processor between the two, the answer is too late, which hardly matters;
// one that is too early would make a stranger of the process itself.
func bornBy(at time.Duration) process.StartTime {
	var boot, monotonic unix.Timespec
	if unix.ClockGettime(unix.CLOCK_MONOTONIC, &monotonic) != nil || unix.ClockGettime(unix.CLOCK_BOOTTIME, &boot) != nil {
		return math.MaxInt64
	}
	asleep := time.Duration(boot.Nano() - monotonic.Nano())
	return process.StartTime((at+asleep)/clockTick) + 1
}

// clockTick is the unit of start times in /proc: USER_HZ is 100 everywhere.
const clockTick = 10 * time.Millisecond

// ended reports whether the end of a first thread was the end of its process.
// It is not while other threads run, and when one of them execs it takes the
// place of the first: then a pidfd is left to tell of the end.
//
// In the moment of that exec, both the row and the pidfd can speak of the thread
// that is on its way out. Only what both say counts; until they agree, look
// again.
func (s *connectorSource) ended(pid int) (dead bool, err error) {
	for range maxAttempts {
		p, gone := s.lookup(pid)
		if errors.Is(gone, process.ErrGone) || gone == nil && p.Start != s.startOf(pid) {
			return true, nil
		}
		err = s.pidfds.Add(pid)
		if errors.Is(err, process.ErrGone) {
			continue
		}
		if err != nil {
			return false, err
		}
		switch dead := s.pidfds.ended(pid); {
		case !dead:
			return false, nil
		case gone == nil && p.State == process.Zombie:
			return true, nil
		}
		err = gone
	}
	return false, err
}

// maxAttempts is how often the row and the pidfd of a process are compared until
// they agree.
const maxAttempts = 100

func (s *connectorSource) Wake() { s.pidfds.Wake() }

func (s *connectorSource) Close() error {
	s.socket.stop()
	s.goroutine.Wait()
	s.reader.Close()
	return errors.Join(s.socket.close(), s.pidfds.Close())
}
