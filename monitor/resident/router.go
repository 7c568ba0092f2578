package resident

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
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

// route reads nothing from the process table where it knows the process. Before the runtimes
// of the last resident are taken over, a member of one would be a member of none, or of the
// one around it.
func (s *server) route(ctx context.Context, r *varlink.Request) (any, error) {
	var in routeIn
	if err := r.Decode(&in); err != nil {
		return nil, err
	}
	if in.Boot != s.self.Boot {
		return nil, foreign(in.PID)
	}
	if err := s.awaitSettled(ctx); err != nil {
		return nil, refusal(err)
	}
	one := s.watches.which(in.PID)
	if one.name == "" {
		return routeOut{}, nil
	}
	return routeOut{one.name, &one.owner}, nil
}

// errUnsettled reports that runtimes may have members which the resident does not know yet.
var errUnsettled = errors.New("the resident monitor still takes over what an earlier one has left")

// awaitSettled returns nil when what an earlier resident has left is taken over.
func (s *server) awaitSettled(ctx context.Context) error {
	select {
	case <-s.settled:
		return nil
	default:
	}
	limited, done := context.WithTimeout(ctx, quick)
	defer done()
	select {
	case <-s.settled:
		return nil
	case <-limited.Done():
		return errUnsettled
	}
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
	idle   []line // the last one was used last
	closed bool
}

// A line is a connection to a resident.
type line struct {
	*net.UnixConn
	by process.Identity
}

// An Answer is where a process is.
type Answer struct {
	Place Place
	// By is the resident that has answered. It knows the runtimes that it watches, and the
	// record of a runtime names the process that watches it.
	By process.Identity
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
// after Close, [fs.ErrNotExist], [syscall.ECONNREFUSED] or [process.ErrGone] where no resident
// serves, that of ctx, or what the resident says. A caller that goes on asks again.
func (r *Router) Of(ctx context.Context, pid int) (Place, error) {
	answer, err := r.Ask(ctx, pid)
	return answer.Place, err
}

// Ask is Of, and names the resident that has answered: another one may watch other runtimes.
func (r *Router) Ask(ctx context.Context, pid int) (Answer, error) {
	for {
		l, kept, err := r.take(ctx)
		if err != nil {
			return Answer{}, err
		}
		var out routeOut
		err = varlink.Call(ctx, l.UnixConn, methodRoute, routeIn{pid, r.boot}, &out)
		if err == nil {
			r.give(l)
			answer := Answer{By: l.by}
			if out.Owner != nil {
				answer.Place = Place{out.Name, *out.Owner}
			}
			return answer, nil
		}
		l.Close()
		// A resident that has ended, or closes what was silent for long, has read nothing.
		if !kept || !errors.Is(err, varlink.ErrNoAnswer) || ctx.Err() != nil {
			return Answer{}, fmt.Errorf("ask the resident monitor: %w", explain(err))
		}
	}
}

// take returns a connection, and whether it has served a call before.
func (r *Router) take(ctx context.Context) (l line, kept bool, err error) {
	r.mu.Lock()
	if r.closed {
		r.mu.Unlock()
		return line{}, false, net.ErrClosed
	}
	if last := len(r.idle) - 1; last >= 0 {
		l, r.idle = r.idle[last], r.idle[:last]
		r.mu.Unlock()
		return l, true, nil
	}
	r.mu.Unlock()
	conn, err := unixsocket.Dial(ctx, socketPath(r.store))
	if err != nil {
		return line{}, false, err
	}
	peer, err := unixsocket.PeerOf(conn)
	if err == nil && peer.User != os.Geteuid() {
		err = fmt.Errorf("user %d listens at the socket of the resident monitor: %w", peer.User, monitor.ErrUnsafe)
	}
	if err != nil {
		conn.Close()
		return line{}, false, err
	}
	return line{conn, peer.Process}, false, nil
}

// give takes a connection back.
func (r *Router) give(l line) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed || len(r.idle) == mostIdle {
		l.Close()
		return
	}
	r.idle = append(r.idle, l)
}

// Close closes the connections. A call that is under way ends as it would have ended.
func (r *Router) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	var errs []error
	for _, l := range r.idle {
		errs = append(errs, l.Close())
	}
	r.idle, r.closed = nil, true
	return errors.Join(errs...)
}
