//go:build darwin || linux

package warden

import (
	"errors"
	"fmt"
	"os"
	"syscall"

	"github.com/gemini-monitor/gemini/harness/internal/wire"
)

// begin starts a command and answers. The files of the command are closed here before the
// answer: from then on the command and its descendants are the only ones that hold them.
func (w *warden) begin(order wire.WardenOrder) {
	answer := wire.News{Number: order.Number}
	var p parts
	defer p.closeAll()
	attr, err := w.prepare(order.Command, &p)
	// The lock keeps reap away until the harness has the PID: it would not know the command.
	w.mu.Lock()
	defer w.mu.Unlock()
	if err == nil {
		answer.PID, err = w.start(order.Command, attr)
	}
	p.closeChildEnds()
	if err == nil {
		answer.Sent = len(p.back)
		err = send(w.files, p.back)
	}
	if err != nil {
		answer.Error = err.Error()
	}
	w.tell(answer)
}

// parts are the files of one start.
type parts struct {
	given []*os.File // that the harness has sent
	child []*os.File // by descriptor of the command
	own   []*os.File // what else is closed after the start
	back  []*os.File // for the harness
}

// prepare receives and makes the files of a command.
func (w *warden) prepare(c *wire.Command, p *parts) (*syscall.ProcAttr, error) {
	var err error
	if p.given, err = receive(w.files, c.Given); err != nil {
		return nil, err
	}
	if err := p.arrange(c); err != nil {
		return nil, err
	}
	sys := &syscall.SysProcAttr{Setpgid: !c.Terminal, Setsid: c.Terminal, Setctty: c.Terminal}
	if c.Cgroup {
		inCgroup(sys, p.given[len(p.given)-1])
	}
	files := make([]uintptr, len(p.child))
	for i, file := range p.child {
		files[i] = file.Fd()
	}
	return &syscall.ProcAttr{Dir: c.Directory, Env: c.Environment, Files: files, Sys: sys}, nil
}

// start starts a command. Its caller holds mu.
func (w *warden) start(c *wire.Command, attr *syscall.ProcAttr) (int, error) {
	pid, err := syscall.ForkExec(c.Path, c.Arguments, attr)
	if err != nil {
		return 0, fmt.Errorf("start %s: %w", c.Path, err)
	}
	w.commands[pid], w.childless = true, false
	return pid, nil
}

// arrange puts the files at the descriptors of the command: 0, 1, 2, the oracle at 3 and
// what else was given from 4 up. It makes the pipes.
func (p *parts) arrange(c *wire.Command) error {
	next := 0
	take := func() (*os.File, error) {
		if next == len(p.given) {
			return nil, errors.New("a file was not sent")
		}
		next++
		return p.given[next-1], nil
	}
	var oracle *os.File
	if c.Oracle { // first: the harness takes its end first
		var err error
		if oracle, err = p.pipe(false); err != nil {
			return err
		}
	}
	for fd, kind := range []wire.Stream{c.Input, c.Output, c.Errors} {
		file, err := p.stream(fd, kind, take)
		if err != nil {
			return err
		}
		p.child = append(p.child, file)
	}
	if oracle != nil {
		p.child = append(p.child, oracle)
	}
	end := len(p.given)
	if c.Cgroup {
		end--
	}
	p.child = append(p.child, p.given[min(next, end):end]...)
	return nil
}

// stream returns the file of a standard descriptor.
func (p *parts) stream(fd int, kind wire.Stream, take func() (*os.File, error)) (*os.File, error) {
	switch kind {
	case wire.Sent:
		return take()
	case wire.Pipe:
		return p.pipe(fd == 0)
	case wire.Merged:
		return p.child[fd-1], nil
	}
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err == nil {
		p.own = append(p.own, null)
	}
	return null, err
}

// pipe makes a pipe and returns the end of the command. The other one goes to the
// harness.
func (p *parts) pipe(input bool) (*os.File, error) {
	read, write, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	command, harness := write, read
	if input {
		command, harness = read, write
	}
	p.own, p.back = append(p.own, command), append(p.back, harness)
	return command, nil
}

// closeChildEnds closes all that the command has.
func (p *parts) closeChildEnds() {
	for _, file := range append(p.given, p.own...) {
		file.Close()
	}
	p.given, p.own = nil, nil
}

// closeAll closes the copies of what was sent.
func (p *parts) closeAll() {
	p.closeChildEnds()
	for _, file := range p.back {
		file.Close()
	}
}
