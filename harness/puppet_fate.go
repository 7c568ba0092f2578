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

// DropEnvironment makes the puppet exec its own program with an empty environment,
// and returns when the new image obeys. Fork does not work afterwards: a puppet finds
// the stage by its environment.
func (p *Puppet) DropEnvironment(ctx context.Context) Standing {
	p.stage.t.Helper()
	return standing(p.do(ctx, wire.Order{Do: wire.DropEnvironment}))
}

// WriteTerminal makes the puppet write a line to its controlling terminal. The error
// is the puppet's: EIO after a hang-up, ENXIO or ENOTTY without a terminal.
func (p *Puppet) WriteTerminal(ctx context.Context, line string) error {
	_, err := p.try(ctx, wire.Order{Do: wire.WriteTerminal, Args: []string{line}})
	return err
}

// ChangeUser makes the puppet set user and group to the given id, for which it must be
// root. Afterwards it may lack the permission to start puppets.
func (p *Puppet) ChangeUser(ctx context.Context, user int) {
	p.stage.t.Helper()
	p.do(ctx, wire.Order{Do: wire.ChangeUser, Number: user})
}

// Crash makes the puppet crash by SIGABRT, without a core file, and waits until it has
// ended.
func (p *Puppet) Crash(ctx context.Context) {
	p.stage.t.Helper()
	p.do(ctx, wire.Order{Do: wire.Crash})
	p.awaitEnd(ctx)
}

// Stop makes the puppet stop itself, and waits until ps shows it stopped: a SIGCONT
// before the stop has no effect.
func (p *Puppet) Stop(ctx context.Context) {
	p.stage.t.Helper()
	p.raise(ctx, syscall.SIGSTOP)
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		all, err := everyProcess(ctx)
		if err != nil {
			p.stage.t.Fatalf("puppet %s (PID %d): stop: %v", p.name, p.pid, err)
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

// DoubleFork makes the puppet start a child that starts a puppet called name, as
// daemons do. When it returns, the process in between has ended and was reaped.
func (p *Puppet) DoubleFork(ctx context.Context, name string, middle Start) *Puppet {
	p.stage.t.Helper()
	between := p.Fork(ctx, name+"-parent", middle)
	leaf := between.Fork(ctx, name, Start{})
	between.Exit(ctx, 0)
	p.Reap(ctx, between.PID())
	return leaf
}

// Trace makes the puppet attach to a process with ptrace(2), and waits until that has
// stopped. The puppet must be its parent or root. The error is the puppet's.
func (p *Puppet) Trace(ctx context.Context, pid int) error {
	_, err := p.try(ctx, wire.Order{Do: wire.Trace, Number: pid})
	return err
}

// Release makes the puppet detach from a process that it traces.
func (p *Puppet) Release(ctx context.Context, pid int) {
	p.stage.t.Helper()
	p.do(ctx, wire.Order{Do: wire.Release, Number: pid})
}

// EndFirstThread makes the puppet end its first thread. Linux then shows the process
// as a zombie, though its other threads run and its descriptors are open. Other
// systems have no such state: there it fails the test.
func (p *Puppet) EndFirstThread(ctx context.Context) {
	p.stage.t.Helper()
	p.do(ctx, wire.Order{Do: wire.EndFirstThread})
}

// Lend makes the puppet send its inherited descriptors from 3 up to this process,
// which no monitor counts as a member. They stay open until Close is called or the
// test ends.
func (p *Puppet) Lend(ctx context.Context) io.Closer {
	p.stage.t.Helper()
	socket := p.stage.Path(p.name + ".lend")
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Net: "unix", Name: socket})
	if err != nil {
		p.stage.t.Fatalf("puppet %s: lend: %v", p.name, err)
	}
	defer listener.Close()
	p.do(ctx, wire.Order{Do: wire.Lend, Name: socket})
	lent, err := borrow(listener)
	if err != nil {
		p.stage.t.Fatalf("puppet %s: lend: %v", p.name, err)
	}
	p.stage.loans = append(p.stage.loans, lent)
	return lent
}
