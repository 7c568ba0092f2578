//go:build darwin || linux

package harness

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"syscall"

	"github.com/gemini-monitor/gemini/harness/internal/wire"
)

// A Puppet is a process that does what it is told (harness/puppet). It greets the
// stage when it starts, so that waiting for it by name is waiting for the
// moment at which it runs. Its methods fail the test when it cannot obey.
//
// Its connection is a witness of its own: Gone is closed when the process has
// ended, whatever descriptors it has closed. After Exec the new program holds
// the connection.
type Puppet struct {
	stage   *Stage
	name    string
	conn    *net.UnixConn
	answers chan wire.Answer // closed with gone
	gone    chan struct{}
	pid     int // as greeted; exec keeps it
	track   *track
	last    Standing // as it last told
}

// A Standing is where a process stands among the others.
type Standing struct {
	PID, Parent, Group, Session int
	// Start is when the process started, in its kernel's own unit. No two
	// processes have both PID and Start in common.
	Start int64
}

// Start says how a child of a puppet starts; the zero value is an ordinary child.
type Start struct {
	OwnSession bool // the child leads a session of its own
	OwnGroup   bool // the child leads a process group of its own
}

// hear passes answers on until the process ends. There is one for each order,
// so that the one place of the channel never fills.
func (p *Puppet) receive(answers *json.Decoder) {
	for {
		var a wire.Answer
		if err := answers.Decode(&a); err != nil {
			return
		}
		p.answers <- a
	}
}

// PID is the puppet's PID for as long as Gone is open.
func (p *Puppet) PID() int { return p.pid }

// Gone is closed when the puppet has ended.
func (p *Puppet) Gone() <-chan struct{} { return p.gone }

// Report returns where the puppet stands now.
func (p *Puppet) Report(ctx context.Context) Standing {
	p.stage.t.Helper()
	return standing(p.do(ctx, wire.Order{Do: wire.Report}))
}

func standing(a wire.Answer) Standing {
	return Standing{PID: a.PID, Parent: a.Parent, Group: a.Group, Session: a.Session, Start: a.Start}
}

// Fork has the puppet start another one called name, and waits for its greeting.
func (p *Puppet) Fork(ctx context.Context, name string, how Start) *Puppet {
	p.stage.t.Helper()
	p.do(ctx, wire.Order{Do: wire.Fork, Name: name, OwnSession: how.OwnSession, OwnGroup: how.OwnGroup})
	return p.stage.Puppet(ctx, name)
}

// Spawn has the puppet start argv and returns the child's PID. The puppet does
// not wait for it: once ended it stays a zombie until Reap.
func (p *Puppet) Spawn(ctx context.Context, argv ...string) int {
	p.stage.t.Helper()
	return p.do(ctx, wire.Order{Do: wire.Spawn, Args: argv}).Child
}

// Reap has the puppet wait for a child it forked or spawned.
func (p *Puppet) Reap(ctx context.Context, pid int) Status {
	p.stage.t.Helper()
	ended := p.do(ctx, wire.Order{Do: wire.Reap, Number: pid}).Status
	return Status{Code: ended.Code, Signal: ended.Signal}
}

// Exit has the puppet exit with code, and waits until it has.
func (p *Puppet) Exit(ctx context.Context, code int) {
	p.stage.t.Helper()
	p.do(ctx, wire.Order{Do: wire.Exit, Number: code})
	p.awaitEnd(ctx)
}

// Die has the puppet kill itself with s, and waits until it is dead.
func (p *Puppet) Die(ctx context.Context, s syscall.Signal) {
	p.stage.t.Helper()
	p.raise(ctx, s)
	p.awaitEnd(ctx)
}

// Raise has the puppet send itself s, which it need not survive.
func (p *Puppet) raise(ctx context.Context, s syscall.Signal) {
	p.stage.t.Helper()
	p.do(ctx, wire.Order{Do: wire.Raise, Number: int(s)})
}

// Setsid makes the puppet the leader of a new session without a terminal.
func (p *Puppet) Setsid(ctx context.Context) Standing {
	p.stage.t.Helper()
	return standing(p.do(ctx, wire.Order{Do: wire.Setsid}))
}

// Setpgid makes the puppet the leader of a new process group.
func (p *Puppet) Setpgid(ctx context.Context) Standing {
	p.stage.t.Helper()
	return standing(p.do(ctx, wire.Order{Do: wire.Setpgid}))
}

// ExecSelf has the puppet exec itself, and returns once the new image obeys.
func (p *Puppet) ExecSelf(ctx context.Context) Standing {
	p.stage.t.Helper()
	return standing(p.do(ctx, wire.Order{Do: wire.ExecSelf}))
}

// Exec has the puppet become argv. It obeys no more.
func (p *Puppet) Exec(ctx context.Context, argv ...string) {
	p.stage.t.Helper()
	p.do(ctx, wire.Order{Do: wire.Exec, Args: argv})
}

// IgnoreHangup has the puppet, and all it starts from now on, ignore SIGHUP.
func (p *Puppet) IgnoreHangup(ctx context.Context) {
	p.stage.t.Helper()
	p.do(ctx, wire.Order{Do: wire.IgnoreHangup})
}

// CloseDescriptor has the puppet close one descriptor.
func (p *Puppet) CloseDescriptor(ctx context.Context, fd int) {
	p.stage.t.Helper()
	p.do(ctx, wire.Order{Do: wire.Close, Number: fd})
}

// CloseInherited has the puppet close all it inherited except 0, 1 and 2, as
// Python, Java and sudo do for their children.
func (p *Puppet) CloseInherited(ctx context.Context) {
	p.stage.t.Helper()
	p.do(ctx, wire.Order{Do: wire.CloseInherited})
}

// DropTerminal has the puppet let go of standard input, output and error.
func (p *Puppet) DropTerminal(ctx context.Context) {
	p.stage.t.Helper()
	p.do(ctx, wire.Order{Do: wire.DropTerminal})
}

// tell gives an order and waits for the answer.
func (p *Puppet) do(ctx context.Context, order wire.Order) wire.Answer {
	p.stage.t.Helper()
	answer, err := p.try(ctx, order)
	if err != nil {
		p.stage.t.Fatalf("puppet %s (PID %d): %s: %v", p.name, p.pid, order.Do, err)
	}
	return answer
}

// order is tell for those who expect that the puppet cannot obey.
func (p *Puppet) try(ctx context.Context, order wire.Order) (wire.Answer, error) {
	done := p.track.begin(Event{PID: p.pid, What: "is ordered to " + order.String()})
	answer, err := p.exchange(ctx, order)
	p.recordAnswer(done, answer, err)
	return answer, err
}

var errPuppetGone = errors.New("the puppet has ended")

func (p *Puppet) exchange(ctx context.Context, order wire.Order) (wire.Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := json.NewEncoder(p.conn).Encode(order); err != nil {
		return wire.Answer{}, fmt.Errorf("%w: %w", errPuppetGone, err)
	}
	select {
	case a, open := <-p.answers:
		if !open {
			return a, errPuppetGone
		}
		if a.Error != "" {
			return a, errors.New(a.Error)
		}
		return a, nil
	case <-ctx.Done():
		return wire.Answer{}, ctx.Err()
	}
}

func (p *Puppet) awaitEnd(ctx context.Context) {
	p.stage.t.Helper()
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	select {
	case <-p.gone:
	case <-ctx.Done():
		p.stage.t.Fatalf("puppet %s (PID %d) does not end: %v", p.name, p.pid, ctx.Err())
	}
}
