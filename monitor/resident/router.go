package resident

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"

	"github.com/gemini-monitor/gemini/internal/unixsocket"
	"github.com/gemini-monitor/gemini/internal/varlink"
	"github.com/gemini-monitor/gemini/monitor"
	"github.com/gemini-monitor/gemini/tracker/process"
)

type (
	routeIn struct {
		PID  int    `json:"pid"`
		Boot string `json:"boot"`
	}
	routeOut struct {
		Name  string            `json:"name,omitempty"`
		Owner *process.Identity `json:"owner,omitempty"`
	}
)

// route reads nothing from the process table where it knows the process.
func (s *server) route(_ context.Context, r *varlink.Request) (any, error) {
	var in routeIn
	if err := r.Decode(&in); err != nil {
		return nil, err
	}
	if in.Boot != s.self.Boot {
		return nil, foreign(in.PID)
	}
	one := s.watches.which(in.PID)
	if one.name == "" {
		return routeOut{}, nil
	}
	return routeOut{one.name, &one.owner}, nil
}

// A Place is the runtime that a process is in. The zero value is none.
type Place struct {
	Name string
	// Owner tells the runtime from a later one of the same name.
	Owner process.Identity
}

// A Router tells which runtime a process is in, for a file system or another service that asks
// at each of its calls: the resident of a store answers, so that the service follows no
// processes itself. One that does has package [github.com/gemini-monitor/gemini/tracker/router].
//
// It keeps its connections between the calls, and finds the next resident where one has ended.
// It starts none. Its methods may be called from any goroutine: as many calls as there are at a
// time have a connection each.
type Router struct {
	store *monitor.Store
	boot  string

	mu     sync.Mutex
	idle   []*net.UnixConn // the last one was used last
	closed bool
}

// mostIdle is how many connections a Router keeps that no call uses.
const mostIdle = 16

// NewRouter returns a Router that has no connection yet. Close it after use.
func NewRouter(s *monitor.Store) (*Router, error) {
	boot, err := process.Boot()
	if err != nil {
		return nil, err
	}
	return &Router{store: s, boot: boot}, nil
}

// Of returns the innermost runtime that the process with a PID is a member of, and the zero
// Place where it is a member of none that the resident watches. On Linux the ID of a thread
// serves as well.
//
// An error is no answer: the process may be in any runtime, or in none. It is [net.ErrClosed]
// after Close, [fs.ErrNotExist] or [syscall.ECONNREFUSED] where no resident serves, that of
// ctx, or what the resident says. A caller that goes on asks again.
func (r *Router) Of(ctx context.Context, pid int) (Place, error) {
	for {
		conn, kept, err := r.take(ctx)
		if err != nil {
			return Place{}, err
		}
		var out routeOut
		err = varlink.Call(ctx, conn, methodRoute, routeIn{pid, r.boot}, &out)
		if err == nil {
			r.give(conn)
			if out.Owner == nil {
				return Place{}, nil
			}
			return Place{out.Name, *out.Owner}, nil
		}
		conn.Close()
		// A resident that has ended, or closes what was silent for long, has read nothing.
		if !kept || !errors.Is(err, varlink.ErrNoAnswer) || ctx.Err() != nil {
			return Place{}, fmt.Errorf("ask the resident monitor: %w", explain(err))
		}
	}
}

// take returns a connection, and whether it has served a call before.
func (r *Router) take(ctx context.Context) (conn *net.UnixConn, kept bool, err error) {
	r.mu.Lock()
	if r.closed {
		r.mu.Unlock()
		return nil, false, net.ErrClosed
	}
	if last := len(r.idle) - 1; last >= 0 {
		conn, r.idle = r.idle[last], r.idle[:last]
		r.mu.Unlock()
		return conn, true, nil
	}
	r.mu.Unlock()
	conn, err = unixsocket.Dial(ctx, socketPath(r.store))
	return conn, false, err
}

// give takes a connection back.
func (r *Router) give(conn *net.UnixConn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed || len(r.idle) == mostIdle {
		conn.Close()
		return
	}
	r.idle = append(r.idle, conn)
}

// Close closes the connections. A call that is under way ends as it would have ended.
func (r *Router) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	var errs []error
	for _, conn := range r.idle {
		errs = append(errs, conn.Close())
	}
	r.idle, r.closed = nil, true
	return errors.Join(errs...)
}
