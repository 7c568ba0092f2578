//go:build darwin || linux

package harness

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/gemini-monitor/gemini/harness/internal/table"
	"github.com/gemini-monitor/gemini/harness/internal/wire"
)

// A troupe has all puppets of a stage and the socket to which they connect.
type troupe struct {
	stage    *Stage
	listener *net.UnixListener
	greeting sync.WaitGroup

	mu      sync.Mutex
	ended   bool
	members []*Puppet               // from their connection on
	waiting map[string]chan *Puppet // puppets that have greeted, by name
	// children are the processes that puppets started by Spawn.
	children starts
}

// newTroupe listens at the socket. macOS limits its path to 104 bytes.
func newTroupe(stage *Stage, socket string) (*troupe, error) {
	if most := len(syscall.RawSockaddrUnix{}.Path) - 1; len(socket) > most {
		return nil, fmt.Errorf("listen for puppets: the path %s has %d bytes, and a socket's has %d at most: TMPDIR has to be shorter", socket, len(socket), most)
	}
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Net: "unix", Name: socket})
	if err != nil {
		return nil, fmt.Errorf("listen for puppets: %w", err)
	}
	tr := &troupe{stage: stage, listener: listener, waiting: map[string]chan *Puppet{}, children: starts{}}
	tr.greeting.Go(tr.accept)
	return tr, nil
}

// accept accepts connections until the listener is closed.
func (tr *troupe) accept() {
	for {
		conn, err := tr.listener.AcceptUnix()
		if err != nil { // closed
			return
		}
		p := &Puppet{limit: patience, actor: &actor{stage: tr.stage, conn: conn, answers: make(chan wire.Answer, 1), gone: make(chan struct{})}}
		if !tr.admit(p) {
			conn.Close() // this ends the puppet
			return
		}
		tr.greeting.Go(func() { tr.greet(p) })
	}
}

// admit adds a puppet, and reports false if the troupe has ended.
func (tr *troupe) admit(p *Puppet) bool {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	if !tr.ended {
		tr.members = append(tr.members, p)
	}
	return !tr.ended
}

// greet reads the first answer, which has the name of the puppet, and then receives
// the others.
func (tr *troupe) greet(p *Puppet) {
	defer close(p.gone)
	defer close(p.answers)
	defer func() { p.track.record(Event{PID: p.pid, What: "has gone", Life: Ends}) }()
	answers := json.NewDecoder(p.conn)
	var hello wire.Answer
	if err := answers.Decode(&hello); err != nil {
		return
	}
	tr.mu.Lock()
	p.name, p.pid, p.last = hello.Name, hello.PID, standing(hello)
	p.track = tr.stage.timeline.track(p.name)
	tr.mu.Unlock()
	p.track.record(Event{Time: hello.Time, PID: p.pid, What: "greets: " + p.last.text(), Life: Begins, Parent: hello.Parent})
	tr.arrivals(p.name) <- p
	p.receive(answers)
}

// arrivals returns the queue of the puppets called name. It has room for 64.
func (tr *troupe) arrivals(name string) chan *Puppet {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	if tr.waiting[name] == nil {
		tr.waiting[name] = make(chan *Puppet, 64)
	}
	return tr.waiting[name]
}

// end kills each puppet, or the program that it exec'ed, and waits for all goroutines.
// While a connection is open the PID is taken to be the puppet's: another process could
// have it only after the kernel had used all PIDs.
func (tr *troupe) end() {
	tr.listener.Close()
	tr.mu.Lock()
	tr.ended = true
	for _, p := range tr.members {
		if p.pid != 0 && !closed(p.gone) {
			syscall.Kill(p.pid, syscall.SIGKILL)
		}
		p.conn.Close()
	}
	tr.mu.Unlock()
	tr.greeting.Wait()
}

// closed reports whether c is closed.
func closed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// Puppet waits for the greeting of a puppet called name, and returns it. The command
// "puppet name" starts it, on the stage or below a process of the stage.
func (s *Stage) Puppet(name string) *Puppet {
	s.t.Helper()
	return s.greeted(name, s.limit, s.over).Within(s.limit)
}

// greeted waits for the greeting of a puppet until a limit, or until hopeless says why it
// cannot come.
func (s *Stage) greeted(name string, limit time.Duration, hopeless func() string) *Puppet {
	s.t.Helper()
	ctx, cancel := s.bound(limit)
	defer cancel()
	tick := time.NewTicker(20 * tickTime) // for the case that none can come any more
	defer tick.Stop()
	for {
		why := hopeless() // before the look
		select {
		case p := <-s.troupe.arrivals(name):
			s.changed()
			return p
		default:
		}
		if why != "" {
			s.t.Fatalf("%s, and %s; greeted: %s", s.troupe.absent(name), why, s.troupe.names())
		}
		select {
		case p := <-s.troupe.arrivals(name):
			s.changed()
			return p
		case <-tick.C:
		case <-ctx.Done():
			s.t.Fatalf("%s: %v; greeted: %s", s.troupe.absent(name), context.Cause(ctx), s.troupe.names())
		}
	}
}

// over says that something was started and that no process of the stage lives. It returns
// "" where that is not known.
func (s *Stage) over() string {
	guards := s.guards.list()
	for _, g := range guards {
		if children, exact, err := g.ask(); err != nil || children || !exact {
			return ""
		}
	}
	if len(guards) == 0 {
		return ""
	}
	return "no process of the stage lives"
}

// ended returns a function that says that a child has ended, once two looks have shown it:
// the greeting that it sent before may be on its way at the first one.
func (p *Puppet) ended(child int) func() string {
	looks := 0
	return func() string {
		if row, err := table.Of(child); err == nil && !row.Ended || err != nil && !errors.Is(err, table.ErrNoProcess) {
			return ""
		}
		if looks++; looks < 2 {
			return ""
		}
		return fmt.Sprintf("PID %d, which puppet %s has started for it, has ended", child, p.name)
	}
}

// absent says that no puppet called name has greeted, or none but those that the test has.
func (tr *troupe) absent(name string) string {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	if slices.ContainsFunc(tr.members, func(p *Puppet) bool { return p.name == name }) {
		return fmt.Sprintf("no further puppet called %s has greeted; the test has all that did", name)
	}
	return fmt.Sprintf("no puppet called %s has greeted", name)
}

// names returns the names of all puppets that have greeted.
func (tr *troupe) names() string {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	var names []string
	for _, p := range tr.members {
		if p.name != "" {
			names = append(names, p.name)
		}
	}
	return cmp.Or(strings.Join(names, ", "), "none")
}
