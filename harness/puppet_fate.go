//go:build darwin || linux

package harness

import (
	"context"
	"io"
	"net"
	"syscall"

	"github.com/gemini-monitor/gemini/harness/internal/table"
	"github.com/gemini-monitor/gemini/harness/internal/wire"
)

// DropEnvironment makes the puppet exec its own program with an empty environment,
// and returns when the new image obeys. Fork does not work afterwards: a puppet finds
// the stage by its environment.
func (p *Puppet) DropEnvironment() Standing {
	p.stage.t.Helper()
	return standing(p.do(wire.Order{Do: wire.DropEnvironment}))
}

// Setenv makes the puppet exec its own program with a variable set to value, and returns
// when the new image obeys. The kernel shows that environment to other processes, and
// programs and puppets that this one starts afterwards inherit it.
func (p *Puppet) Setenv(name, value string) Standing {
	p.stage.t.Helper()
	return standing(p.do(wire.Order{Do: wire.SetEnvironment, Name: name, Args: []string{value}}))
}

// WriteTerminal makes the puppet write a line to its controlling terminal. The error
// is the puppet's, for errors.Is: syscall.EIO after a hang-up, syscall.ENXIO without a
// terminal.
func (p *Puppet) WriteTerminal(line string) error {
	_, err := p.try(wire.Order{Do: wire.WriteTerminal, Args: []string{line}})
	return err
}

// ChangeUser makes the puppet set user and group to the given id, for which it must be
// root. Afterwards it may lack the permission to start puppets.
func (p *Puppet) ChangeUser(user int) {
	p.stage.t.Helper()
	p.do(wire.Order{Do: wire.ChangeUser, Number: user})
}

// Crash makes the puppet crash by SIGABRT, without a core file, and waits until it has
// ended.
func (p *Puppet) Crash() {
	p.stage.t.Helper()
	p.do(wire.Order{Do: wire.Crash})
	p.awaitEnd()
}

// Stop makes the puppet stop itself, and waits until the kernel shows it stopped: a SIGCONT
// before the stop has no effect.
func (p *Puppet) Stop() {
	p.stage.t.Helper()
	p.raise(syscall.SIGSTOP)
	ctx, cancel := p.stage.bound(p.limit)
	defer cancel()
	for ctx.Err() == nil {
		row, err := table.Of(p.pid)
		if err != nil {
			p.stage.t.Fatalf("puppet %s (PID %d): stop: %v", p.name, p.pid, err)
		}
		if row.State == 'T' {
			return
		}
	}
	p.stage.t.Fatalf("puppet %s (PID %d) does not stop: %v", p.name, p.pid, context.Cause(ctx))
}

// Continue sends the puppet SIGCONT.
func (p *Puppet) Continue() {
	p.stage.t.Helper()
	if err := p.stage.Signal(p.pid, syscall.SIGCONT); err != nil {
		p.stage.t.Fatalf("%v", err)
	}
}

// DoubleFork makes the puppet start a child that starts a puppet called name, as daemons
// do. When it returns, the process in between has ended and was reaped. Middle changes the
// start of that process, not of the new puppet: with OwnSession the new puppet is in a new
// session, but does not lead it.
func (p *Puppet) DoubleFork(name string, middle ...Start) *Puppet {
	p.stage.t.Helper()
	between := p.Fork(name+"-parent", middle...)
	leaf := between.Fork(name)
	between.Exit(0)
	p.Reap(between.PID())
	return leaf
}

// Trace makes the puppet attach to a process with ptrace(2), and waits until that has
// stopped. The puppet must be its parent or root. The error is the puppet's, for errors.Is:
// syscall.EPERM, for example.
func (p *Puppet) Trace(pid int) error {
	_, err := p.try(wire.Order{Do: wire.Trace, Number: pid})
	return err
}

// Release ends what Trace began: the puppet detaches from a process.
func (p *Puppet) Release(pid int) {
	p.stage.t.Helper()
	p.do(wire.Order{Do: wire.Release, Number: pid})
}

// EndFirstThread makes the puppet end its first thread. Linux then shows the process
// as a zombie, though its other threads run and its descriptors are open. Other
// systems have no such state: there it fails the test.
func (p *Puppet) EndFirstThread() {
	p.stage.t.Helper()
	p.do(wire.Order{Do: wire.EndFirstThread})
}

// Lend makes the puppet send its inherited descriptors from 3 up to this process,
// which is no descendant of the command. They stay open until Close is called or the
// test ends: an oracle is held as long, although the puppet may have ended.
func (p *Puppet) Lend() io.Closer {
	p.stage.t.Helper()
	socket := p.stage.backstage(p.name + ".lend")
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Net: "unix", Name: socket})
	if err != nil {
		p.stage.t.Fatalf("puppet %s: lend: %v", p.name, err)
	}
	defer listener.Close()
	p.do(wire.Order{Do: wire.Lend, Name: socket})
	lent, err := borrow(listener)
	if err != nil {
		p.stage.t.Fatalf("puppet %s: lend: %v", p.name, err)
	}
	p.stage.loans = append(p.stage.loans, lent)
	return lent
}
