//go:build darwin || linux

package harness

import (
	"fmt"
	"strings"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/gemini-monitor/gemini/harness/internal/wire"
)

// A process is a command that a warden started and reaps.
type process struct {
	guard  *guard
	words  []string
	pid    int
	exited chan struct{} // closed after the reap; status may be read then
	status Status
	track  *track

	mu      sync.Mutex
	stopped bool
	changed chan struct{} // closed and replaced when stopped changes
}

// becomes takes over a change that the warden reports.
func (p *process) becomes(news wire.News) {
	switch news.Change {
	case wire.Stopped, wire.Continued:
		p.track.record(Event{Time: news.Time, PID: p.pid, What: string(news.Change)})
		p.mu.Lock()
		defer p.mu.Unlock()
		p.stopped = news.Change == wire.Stopped
		close(p.changed)
		p.changed = make(chan struct{})
	case wire.Ended:
		p.status = Status{Code: news.Status.Code, Signal: news.Status.Signal}
		p.track.record(Event{Time: news.Time, PID: p.pid, What: "ended: " + p.status.String(), Life: Ends})
		close(p.exited)
	}
}

// state reports whether the process is stopped, and returns a channel that is closed when
// that changes.
func (p *process) state() (stopped bool, changed <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.stopped, p.changed
}

// signal sends s to the process. After the reap it does nothing.
func (p *process) signal(s syscall.Signal) {
	done := p.track.begin(Event{PID: p.pid, What: "gets signal " + unix.SignalName(s)})
	_, err := p.guard.do(wire.WardenOrder{Do: wire.Strike, PID: p.pid, Signal: s}, nil, nil)
	done(outcome(err))
}

// end kills the process, if it lives, and returns when it was reaped.
func (p *process) end() { p.kill(false) }

// endGroup is end for the process and its group.
func (p *process) endGroup() { p.kill(true) }

func (p *process) kill(group bool) {
	if closed(p.exited) {
		return
	}
	_, _ = p.guard.do(wire.WardenOrder{Do: wire.Strike, PID: p.pid, Signal: syscall.SIGKILL, Group: group}, nil, nil)
	select {
	case <-p.exited:
	case <-p.guard.gone:
	}
}

// outcome returns the text of an error for the timeline, "" for nil.
func outcome(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// A Status is how a process ended. The zero value is success.
type Status struct {
	Code   int            // exit code, 0 if Signal is set, -1 of a command that was not started
	Signal syscall.Signal // 0 after an exit
}

// notStarted is the status beside the error of a command that was not started.
var notStarted = Status{Code: -1}

func (s Status) String() string {
	switch {
	case s == notStarted:
		return "not started"
	case s.Signal != 0:
		return "killed by " + unix.SignalName(s.Signal)
	}
	return fmt.Sprintf("exit %d", s.Code)
}

// wanted returns a status as what a process has to do.
func (s Status) wanted() string {
	if s.Signal != 0 {
		return "to be " + s.String()
	}
	return fmt.Sprintf("to exit with %d", s.Code)
}

// past returns a status as what a process has done.
func (s Status) past() string {
	if s.Signal != 0 {
		return "was " + s.String()
	}
	return fmt.Sprintf("exited with %d", s.Code)
}

// join returns words as they are shown.
func join(words []string) string { return strings.Join(words, " ") }
