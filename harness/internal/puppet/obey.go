//go:build darwin || linux

package puppet

import (
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/gemini-monitor/gemini/harness/internal/wire"
)

// obey carries an order out. Orders that may end this process answer first.
func (p *puppet) obey(o wire.Order) (wire.Answer, error) {
	switch o.Do {
	case wire.Report:
		return wire.Answer{}, nil
	case wire.Fork:
		return p.fork(o)
	case wire.Spawn:
		return p.spawn(o, exec.Command(o.Args[0], o.Args[1:]...))
	case wire.Reap:
		return p.reap(o.Number)
	case wire.Exit:
		return p.exit(o.Number)
	case wire.Raise:
		return p.raise(syscall.Signal(o.Number))
	case wire.Setsid:
		_, err := syscall.Setsid()
		return wire.Answer{}, err
	case wire.Setpgid:
		return wire.Answer{}, syscall.Setpgid(0, 0)
	case wire.ExecSelf:
		return p.execSelf(os.Environ())
	case wire.Exec:
		return p.exec(o)
	case wire.Ignore:
		signal.Ignore(syscall.Signal(o.Number))
		return wire.Answer{}, nil
	case wire.Close:
		return wire.Answer{}, syscall.Close(o.Number)
	case wire.CloseInherited:
		return wire.Answer{}, closeInherited()
	case wire.DropTerminal:
		return wire.Answer{}, dropTerminal()
	case wire.DropEnvironment:
		return p.execSelf(nil)
	case wire.SetEnvironment:
		if err := os.Setenv(o.Name, o.Args[0]); err != nil {
			return wire.Answer{}, err
		}
		return p.execSelf(os.Environ())
	case wire.WriteTerminal:
		return wire.Answer{}, writeTerminal(strings.Join(o.Args, " "))
	case wire.ChangeUser:
		return wire.Answer{}, changeUser(o.Number)
	case wire.Crash:
		return p.crash()
	case wire.Trace:
		return wire.Answer{}, trace(o.Number)
	case wire.Release:
		return wire.Answer{}, unix.PtraceDetach(o.Number)
	case wire.Lend:
		return wire.Answer{}, lend(o.Name)
	case wire.EndFirstThread:
		return wire.Answer{}, endFirstThread()
	}
	return wire.Answer{}, fmt.Errorf("unknown order %q", o.Do)
}

// fork starts a child puppet. Go has no fork without exec.
func (p *puppet) fork(o wire.Order) (wire.Answer, error) {
	cmd := exec.Command(p.image, o.Name)
	cmd.Args[0] = string(wire.Puppet)
	return p.spawn(o, cmd)
}

// spawn starts cmd and does not reap it. cmd inherits all descriptors without
// close-on-exec under their numbers, as a forked process does.
func (p *puppet) spawn(o wire.Order, cmd *exec.Cmd) (wire.Answer, error) {
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: o.OwnSession, Setpgid: o.OwnGroup}
	if err := cmd.Start(); err != nil {
		return wire.Answer{}, err
	}
	p.children[cmd.Process.Pid] = cmd.Process
	return wire.Answer{Child: cmd.Process.Pid}, nil
}

// reap waits for a child and returns how it ended.
func (p *puppet) reap(pid int) (wire.Answer, error) {
	child := p.children[pid]
	if child == nil {
		return wire.Answer{}, fmt.Errorf("%d is not a child", pid)
	}
	state, err := child.Wait()
	if err != nil {
		return wire.Answer{}, err
	}
	delete(p.children, pid)
	ended := state.Sys().(syscall.WaitStatus)
	if ended.Signaled() {
		return wire.Answer{Child: pid, Status: wire.Status{Signal: ended.Signal()}}, nil
	}
	return wire.Answer{Child: pid, Status: wire.Status{Code: ended.ExitStatus()}}, nil
}

// exit answers and exits.
func (p *puppet) exit(code int) (wire.Answer, error) {
	err := p.answer(wire.Answer{})
	if err == nil {
		end(code)
	}
	return wire.Answer{}, err
}

// raise sends s to this process with the default action restored. It does not work
// for the signals with which Go reports its own crashes (ABRT, SEGV and others). After
// a stop it returns when the process is continued.
func (p *puppet) raise(s syscall.Signal) (wire.Answer, error) {
	signal.Reset(s)
	if err := p.answer(wire.Answer{}); err != nil {
		return wire.Answer{}, err
	}
	if err := syscall.Kill(os.Getpid(), s); err != nil {
		return wire.Answer{}, err
	}
	return wire.Answer{}, errAnswered
}
