package resident

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"time"

	"github.com/gemini-monitor/gemini/internal/varlink"
	"github.com/gemini-monitor/gemini/monitor"
	"github.com/gemini-monitor/gemini/tracker/process"
)

// What the method Stop carries.
type (
	stopIn struct {
		Name   string           `json:"name"`
		Owner  process.Identity `json:"owner"`
		Signal syscall.Signal   `json:"signal"`
		Grace  float64          `json:"grace"` // in seconds
	}
	stopOut struct {
		Members []Survivor `json:"members,omitempty"`
		Empty   bool       `json:"empty,omitempty"`
	}
)

// A Survivor is a member that does not end.
type Survivor struct {
	process.Identity
	// Command is the kernel's short name of its program.
	Command string `json:"command"`
	// User is its effective user.
	User int `json:"user"`
	// Reason is why it does not end.
	Reason string `json:"reason"`
}

// A Rest is what is left of a runtime that was told to end.
type Rest struct {
	// Members live and do not end.
	Members []Survivor
	// Empty: no member is known, and the runtime is there all the same. Its record says why.
	Empty bool
}

// ErrUnwatched reports that no monitor answers for a runtime.
var ErrUnwatched = errors.New("has no monitor that answers")

// watchingOf returns the monitor of a runtime.
func (s *server) watchingOf(k key) (*monitor.Watching, error) {
	one := s.watches.find(k)
	if one == nil {
		return nil, varlink.NewError(errorUnwatched, fmt.Sprintf("the resident monitor does not watch a runtime %q of that owner", k.name))
	}
	if <-one.begun; one.err != nil {
		return nil, refusal(one.err)
	}
	return one.watching, nil
}

func (in stopIn) runtime() key { return key{in.Name, in.Owner} }

// carryOut has a runtime end.
func (in stopIn) carryOut(ctx context.Context, w *monitor.Watching) (any, error) {
	if in.Signal <= 0 || in.Grace < 0 {
		return nil, refusal(fmt.Errorf("no runtime is stopped with signal %d and a grace of %v s", in.Signal, in.Grace))
	}
	rest, err := w.Stop(ctx, in.Signal, time.Duration(in.Grace*float64(time.Second)))
	if errors.Is(err, monitor.ErrUnwatched) {
		err = errLeaving // the next monitor goes on with it
	}
	if err != nil {
		return nil, refusal(err)
	}
	out := stopOut{Empty: rest.Empty}
	for _, m := range rest.Members {
		out.Members = append(out.Members, Survivor{m.Identity, m.Command.String(), m.User, m.Reason})
	}
	return out, nil
}

// Stop has the monitor of a runtime end the members: they get a signal, and those that live
// when the grace is over are killed. It returns when the runtime was removed or is idle, or
// with what is left and does not end. The monitor goes on with it where the caller has ended
// before.
//
// It starts no monitor. The error is [ErrUnwatched] where none answers for the runtime, or
// where it ended meanwhile. A call that is repeated then goes on with the same request.
func Stop(ctx context.Context, s *monitor.Store, r *monitor.Runtime, sig syscall.Signal, grace time.Duration) (Rest, error) {
	record, err := r.Record()
	if err != nil || record.State == monitor.StateIdle {
		return Rest{}, err
	}
	in := stopIn{Name: r.Name(), Owner: record.Owner, Signal: sig, Grace: grace.Seconds()}
	var out stopOut
	c := &Client{Store: s}
	err = c.callMonitorOf(ctx, r, methodStop, in, &out)
	if now, gone := r.Record(); errors.Is(gone, monitor.ErrNotExist) || gone == nil && (now.Owner != record.Owner || now.State == monitor.StateIdle) {
		return Rest{}, nil
	}
	switch {
	case err == nil:
		return Rest(out), nil
	case unanswered(err):
		return Rest{}, fmt.Errorf("runtime %q %w", r.Name(), ErrUnwatched)
	}
	return Rest{}, explain(err)
}

// unanswered reports whether an error of a call means that the process which was asked does
// not watch the runtime, or does not do so any more.
func unanswered(err error) bool {
	failed, _ := errors.AsType[*varlink.Error](err)
	return isDead(err) || errors.Is(err, varlink.ErrNoAnswer) || failed != nil && (failed.Name == errorLeaving || failed.Name == errorUnwatched)
}

// callMonitorOf carries out a call to the monitor of a runtime: its own, or the resident one.
// A resident that does not answer others meanwhile is not waited for.
func (c *Client) callMonitorOf(ctx context.Context, r *monitor.Runtime, method string, in, out any) error {
	if conn, err := dialUser(ctx, ownSocket(r)); err == nil {
		defer conn.Close()
		return varlink.Call(ctx, conn, method, in, out)
	}
	conn, err := c.dial(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	caller := &varlink.Caller{Conn: conn}
	err = c.greet(ctx, caller, c.patience())
	if err == nil {
		err = caller.Send(ctx, varlink.Ask{Method: method, In: in})
	}
	if err == nil {
		err = c.whileItAnswers(ctx, caller, out, true)
	}
	return err
}
