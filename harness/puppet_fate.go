//go:build darwin || linux

package harness

import (
	"context"
	"io"
	"net"
	"strings"
	"syscall"

	"github.com/gemini-monitor/gemini/harness/internal/wire"
)

// DropEnvironment has the puppet exec itself with an empty environment, and
// returns once the new image obeys. No child of it can be a puppet; those that
// it spawns start without an environment too.
func (p *Puppet) DropEnvironment(ctx context.Context) Standing {
	p.stage.t.Helper()
	return standing(p.do(ctx, wire.Order{Do: wire.DropEnvironment}))
}

// WriteTerminal has the puppet write a line to its controlling terminal,
// whatever its standard output is. The error says why the terminal would not
// have it: EIO after a hang-up, ENXIO or ENOTTY where there is none.
func (p *Puppet) WriteTerminal(ctx context.Context, line string) error {
	_, err := p.try(ctx, wire.Order{Do: wire.WriteTerminal, Args: []string{line}})
	return err
}

// ChangeUser has the puppet become another user and group for good, which it
// takes root to do. It may then lack the right to start children as puppets.
func (p *Puppet) ChangeUser(ctx context.Context, user int) {
	p.stage.t.Helper()
	p.do(ctx, wire.Order{Do: wire.ChangeUser, Number: user})
}

// Crash has the puppet crash like a program with a fault, by SIGABRT and
// without a core, and waits until it is dead.
func (p *Puppet) Crash(ctx context.Context) {
	p.stage.t.Helper()
	p.do(ctx, wire.Order{Do: wire.Crash})
	p.awaitEnd(ctx)
}

// Stop has the puppet stop itself, and waits until ps shows it stopped: to one
// who has not stopped yet a SIGCONT means nothing.
func (p *Puppet) Stop(ctx context.Context) {
	p.stage.t.Helper()
	p.raise(ctx, syscall.SIGSTOP)
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		all, err := everyProcess(ctx)
		if err != nil {
			p.stage.t.Fatalf("puppet %s (PID %d) is to stop: %v", p.name, p.pid, err)
		}
		if strings.HasPrefix(all[p.pid].state, "T") {
			return
		}
	}
}

// Continue sends the puppet SIGCONT.
func (p *Puppet) Continue() {
	p.stage.t.Helper()
	if err := p.stage.Signal(p.pid, syscall.SIGCONT); err != nil {
		p.stage.t.Fatalf("%v", err)
	}
}

// DoubleFork has the puppet start a grandchild called name the way daemons do:
// the process in between has gone, and was reaped, when this returns.
func (p *Puppet) DoubleFork(ctx context.Context, name string, middle Start) *Puppet {
	p.stage.t.Helper()
	between := p.Fork(ctx, name+"-parent", middle)
	leaf := between.Fork(ctx, name, Start{})
	between.Exit(ctx, 0)
	p.Reap(ctx, between.PID())
	return leaf
}

// Trace has the puppet take hold of a process as a debugger does, and waits until
// that has stopped. The puppet needs the right to: it is its parent, or root. The
// error says why not.
func (p *Puppet) Trace(ctx context.Context, pid int) error {
	_, err := p.try(ctx, wire.Order{Do: wire.Trace, Number: pid})
	return err
}

// Release has the puppet let a process go that it traces.
func (p *Puppet) Release(ctx context.Context, pid int) {
	p.stage.t.Helper()
	p.do(ctx, wire.Order{Do: wire.Release, Number: pid})
}

// EndFirstThread ends the thread that the puppet began with, while others go on:
// Linux then shows the process as a zombie, and its descriptors stay open. It is
// for Linux alone.
func (p *Puppet) EndFirstThread(ctx context.Context) {
	p.stage.t.Helper()
	p.do(ctx, wire.Order{Do: wire.EndFirstThread})
}

// Lend has the puppet send what it inherited beyond 0, 1 and 2 to this process,
// a stranger to it. Close returns it, and so does the end of the spec.
func (p *Puppet) Lend(ctx context.Context) io.Closer {
	p.stage.t.Helper()
	socket := p.stage.Path(p.name + ".lend")
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Net: "unix", Name: socket})
	if err != nil {
		p.stage.t.Fatalf("puppet %s is to lend: %v", p.name, err)
	}
	defer listener.Close()
	p.do(ctx, wire.Order{Do: wire.Lend, Name: socket})
	lent, err := borrow(listener)
	if err != nil {
		p.stage.t.Fatalf("puppet %s lends: %v", p.name, err)
	}
	p.stage.loans = append(p.stage.loans, lent)
	return lent
}
