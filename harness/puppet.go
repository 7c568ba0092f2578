//go:build darwin || linux

package harness

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"slices"
	"syscall"
	"time"

	"github.com/gemini-monitor/gemini/harness/internal/wire"
)

// A Puppet is a process that obeys orders over a socket: the test binary, started as
// "puppet NAME". It greets the stage when it starts; Stage.Puppet waits for that. Its methods
// fail the test when the puppet cannot obey.
//
// The connection ends with the process, whatever descriptors it has closed before:
// Gone is closed then. After Exec the new program holds the connection.
type Puppet struct {
	*actor
	limit time.Duration
}

// An actor is the part that all handles of a Puppet share.
type actor struct {
	stage   *Stage
	name    string
	conn    *net.UnixConn
	answers chan wire.Answer // closed with gone
	gone    chan struct{}
	pid     int // from the greeting; exec does not change it
	// replaced means that Exec has put another program in its place. The lock of the troupe
	// guards it.
	replaced bool
	track    *track
	last     Standing // of its last answer
}

// A Standing is the place of a puppet among the other processes, as the kernel has it.
type Standing struct {
	PID, Parent, Group, Session int
	// Start is the start time in the unit of the kernel: clock ticks since boot on
	// Linux, microseconds since 1970 on macOS. No two processes share PID and Start.
	Start int64
}

// A Start changes how [Puppet.Fork] and [Puppet.DoubleFork] start a child.
type Start int

// The starts: the child leads a session or a process group of its own.
const (
	OwnSession Start = iota + 1
	OwnGroup
)

// receive passes answers on until the connection ends. Each order has one answer, so
// the channel, with room for one, never blocks it.
func (p *Puppet) receive(answers *json.Decoder) {
	for {
		var a wire.Answer
		if err := answers.Decode(&a); err != nil {
			return
		}
		p.answers <- a
	}
}

// PID returns the PID of the puppet. It is valid until Gone is closed.
func (p *Puppet) PID() int { return p.pid }

// Gone returns a channel that is closed when the puppet has ended. To receive from it waits
// without a limit: see ExpectGone.
func (p *Puppet) Gone() <-chan struct{} { return p.gone }

// ExpectGone waits until the puppet has ended, or the program that it has become by Exec. It
// fails the test if that takes too long.
func (p *Puppet) ExpectGone() {
	p.stage.t.Helper()
	p.awaitEnd()
}

// Report returns the standing of the puppet now.
func (p *Puppet) Report() Standing {
	p.stage.t.Helper()
	return standing(p.do(wire.Order{Do: wire.Report}))
}

func standing(a wire.Answer) Standing {
	return Standing{PID: a.PID, Parent: a.Parent, Group: a.Group, Session: a.Session, Start: a.Start}
}

// Fork makes the puppet start another one called name, and waits for its greeting.
func (p *Puppet) Fork(name string, how ...Start) *Puppet {
	p.stage.t.Helper()
	child := p.do(wire.Order{
		Do: wire.Fork, Name: name,
		OwnSession: slices.Contains(how, OwnSession), OwnGroup: slices.Contains(how, OwnGroup),
	}).Child
	return p.stage.greeted(name, p.limit, p.ended(child))
}

// Spawn makes the puppet start argv and returns the PID of the child. The puppet does
// not wait for it: after its end the child is a zombie until Reap.
func (p *Puppet) Spawn(argv ...string) int {
	p.stage.t.Helper()
	child := p.do(wire.Order{Do: wire.Spawn, Args: argv}).Child
	p.stage.troupe.adopt(child)
	return child
}

// Reap makes the puppet wait for a child that Fork or Spawn started, and returns how
// the child ended.
func (p *Puppet) Reap(pid int) Status {
	p.stage.t.Helper()
	ended := p.do(wire.Order{Do: wire.Reap, Number: pid}).Status
	return Status{Code: ended.Code, Signal: ended.Signal}
}

// Exit makes the puppet exit with code, and waits until it has ended.
func (p *Puppet) Exit(code int) {
	p.stage.t.Helper()
	p.do(wire.Order{Do: wire.Exit, Number: code})
	p.awaitEnd()
}

// Die makes the puppet send itself s, and waits until it has ended.
func (p *Puppet) Die(s syscall.Signal) {
	p.stage.t.Helper()
	p.raise(s)
	p.awaitEnd()
}

// raise makes the puppet send itself s. The puppet answers before that.
func (p *Puppet) raise(s syscall.Signal) {
	p.stage.t.Helper()
	p.do(wire.Order{Do: wire.Raise, Number: int(s)})
}

// Setsid makes the puppet the leader of a new session without a terminal.
func (p *Puppet) Setsid() Standing {
	p.stage.t.Helper()
	return standing(p.do(wire.Order{Do: wire.Setsid}))
}

// Setpgid makes the puppet the leader of a new process group.
func (p *Puppet) Setpgid() Standing {
	p.stage.t.Helper()
	return standing(p.do(wire.Order{Do: wire.Setpgid}))
}

// ExecSelf makes the puppet exec its own program, and returns when the new image
// obeys.
func (p *Puppet) ExecSelf() Standing {
	p.stage.t.Helper()
	return standing(p.do(wire.Order{Do: wire.ExecSelf}))
}

// Exec makes the puppet exec argv, and returns when the new program is there. It obeys no
// orders afterwards.
func (p *Puppet) Exec(argv ...string) {
	p.stage.t.Helper()
	if err := p.exec(argv); err != nil {
		p.stage.t.Fatalf("puppet %s (PID %d): exec %q: %v", p.name, p.pid, argv, err)
	}
}

// exec waits for the end of a connection that the exec closes. An error comes over it
// before.
func (p *Puppet) exec(argv []string) error {
	socket := p.stage.backstage(p.name + ".exec")
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Net: "unix", Name: socket})
	if err != nil {
		return err
	}
	defer listener.Close()
	if _, err := p.try(wire.Order{Do: wire.Exec, Args: argv, Name: socket}); err != nil {
		return err
	}
	limit := time.Now().Add(p.limit)
	listener.SetDeadline(limit)
	conn, err := listener.AcceptUnix() // the puppet has connected before it answered
	if err != nil {
		return err
	}
	defer conn.Close()
	conn.SetDeadline(limit)
	failure, err := io.ReadAll(conn)
	if err == nil && len(failure) > 0 {
		err = errors.New(string(failure))
	}
	p.stage.troupe.mu.Lock()
	defer p.stage.troupe.mu.Unlock()
	p.replaced = err == nil
	return err
}

// IgnoreHangup makes the puppet ignore SIGHUP: see Ignore.
func (p *Puppet) IgnoreHangup() {
	p.stage.t.Helper()
	p.Ignore(syscall.SIGHUP)
}

// Ignore makes the puppet ignore signals. Children that it starts afterwards inherit that.
// SIGKILL and SIGSTOP cannot be ignored, and those of a crash (SIGSEGV and others) belong to
// Go's runtime.
//
// A puppet that was started with ignored signals, as below nohup or trap "" TERM in a shell,
// ignores them too: a child that Fork starts, for example. On macOS that is true of SIGHUP
// and SIGINT only, so give such a child the order as well.
func (p *Puppet) Ignore(signals ...syscall.Signal) {
	p.stage.t.Helper()
	for _, s := range signals {
		p.do(wire.Order{Do: wire.Ignore, Number: int(s)})
	}
}

// CloseDescriptor makes the puppet close one descriptor.
func (p *Puppet) CloseDescriptor(fd int) {
	p.stage.t.Helper()
	p.do(wire.Order{Do: wire.Close, Number: fd})
}

// CloseInherited makes the puppet close all inherited descriptors except 0, 1 and 2,
// as Python, Java and sudo do for their children.
func (p *Puppet) CloseInherited() {
	p.stage.t.Helper()
	p.do(wire.Order{Do: wire.CloseInherited})
}

// DropTerminal makes the puppet replace descriptors 0, 1 and 2 by the null device.
func (p *Puppet) DropTerminal() {
	p.stage.t.Helper()
	p.do(wire.Order{Do: wire.DropTerminal})
}

// do sends an order and waits for the answer. It fails the test if the puppet cannot
// obey.
func (p *Puppet) do(order wire.Order) wire.Answer {
	p.stage.t.Helper()
	answer, err := p.try(order)
	if err != nil {
		p.stage.t.Fatalf("puppet %s (PID %d): %s: %v", p.name, p.pid, order.Do, err)
	}
	return answer
}

// try is do, but it returns the error.
func (p *Puppet) try(order wire.Order) (wire.Answer, error) {
	done := p.track.begin(Event{PID: p.pid, What: "is ordered to " + orderText(order)})
	answer, err := p.exchange(order)
	p.recordAnswer(done, answer, err)
	return answer, err
}

// A refusal is the error of a puppet that could not obey.
type refusal struct {
	text  string
	errno syscall.Errno // 0 if no system call was refused
}

func (r refusal) Error() string { return r.text }

// Unwrap returns the error of the system call, for errors.Is.
func (r refusal) Unwrap() error {
	if r.errno == 0 {
		return nil
	}
	return r.errno
}

var (
	errPuppetGone = errors.New("the puppet has ended")
	errReplaced   = errors.New("the puppet has become another program by Exec, which obeys no orders")
)

// exchange sends an order and returns its answer.
func (p *Puppet) exchange(order wire.Order) (wire.Answer, error) {
	ctx, cancel := p.stage.bound(p.limit)
	defer cancel()
	if p.isReplaced() && !closed(p.gone) {
		return wire.Answer{}, errReplaced
	}
	if err := json.NewEncoder(p.conn).Encode(order); err != nil {
		return wire.Answer{}, errPuppetGone // what the socket reports is how that is noticed
	}
	select {
	case a, open := <-p.answers:
		if !open {
			return a, errPuppetGone
		}
		if a.Error != "" {
			return a, refusal{a.Error, a.Errno}
		}
		return a, nil
	case <-ctx.Done():
		return wire.Answer{}, context.Cause(ctx)
	}
}

// isReplaced reports whether Exec has put another program in the place of the puppet.
func (p *Puppet) isReplaced() bool {
	p.stage.troupe.mu.Lock()
	defer p.stage.troupe.mu.Unlock()
	return p.replaced
}

// awaitEnd waits until the puppet has ended. It fails the test if that takes too long.
func (p *Puppet) awaitEnd() {
	p.stage.t.Helper()
	ctx, cancel := p.stage.bound(p.limit)
	defer cancel()
	select {
	case <-p.gone:
	case <-ctx.Done():
		p.stage.t.Fatalf("puppet %s (PID %d) does not end: %v", p.name, p.pid, context.Cause(ctx))
	}
}
