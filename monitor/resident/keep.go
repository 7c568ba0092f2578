package resident

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"time"

	"github.com/gemini-monitor/gemini/internal/plainjson"
	"github.com/gemini-monitor/gemini/internal/unixsocket"
	"github.com/gemini-monitor/gemini/internal/varlink"
	"github.com/gemini-monitor/gemini/monitor"
	"github.com/gemini-monitor/gemini/tracker/process"
)

// Watch implements [monitor.Keeper]. Where the resident cannot be had, the runtime gets a
// monitor of its own, and its log says why.
func (c *Client) Watch(ctx context.Context, r *monitor.Runtime) error {
	err := c.ask(ctx, r)
	if err == nil || ctx.Err() != nil {
		return err
	}
	logger(r).Warn("the runtime gets a monitor of its own: the resident one does not watch it", "reason", err)
	err = c.Own.Watch(ctx, r)
	if err != nil && c.watches(ctx, r) {
		return nil
	}
	return err
}

// watches reports whether the resident watches a runtime that another monitor could not
// watch: it has begun meanwhile, and has taken the runtime over.
func (c *Client) watches(ctx context.Context, r *monitor.Runtime) bool {
	watched, err := r.Watched()
	return err == nil && watched && ctx.Err() == nil && c.ask(ctx, r) == nil
}

// logger returns a log that writes into the log of a runtime.
func logger(r *monitor.Runtime) *slog.Logger {
	return slog.New(slog.NewTextHandler(r.LogWriter(), nil))
}

// Leave implements [monitor.Keeper].
func (c *Client) Leave(ctx context.Context, r *monitor.Runtime) {
	record, err := r.Record()
	if err != nil || record.Monitor == nil {
		return
	}
	conn, err := c.dial(ctx)
	if err == nil {
		defer conn.Close()
	}
	switch {
	case err == nil && listens(conn, *record.Monitor):
		_ = varlink.Call(ctx, conn, methodLeave, nameIn{r.Name()}, nil)
	case c.served(*record.Monitor):
		// It ends, and the lock of the runtime is free soon.
	default:
		c.Own.Leave(ctx, r) // which kills it
	}
}

// listens reports whether a process is the one at the other end of a connection.
func listens(conn *net.UnixConn, id process.Identity) bool {
	peer, err := unixsocket.PeerOf(conn)
	return err == nil && peer.Process == id
}

// served reports whether a process is the store's last resident.
func (c *Client) served(id process.Identity) bool {
	card, err := ReadCard(c.Store)
	return err == nil && card.Process == id
}

// ask has the resident watch a runtime of this process. One that does not answer is asked
// already, and refuses later, as the client has hung up then: so no runtime is watched by two.
func (c *Client) ask(ctx context.Context, r *monitor.Runtime) error {
	return c.try(ctx, func(conn *net.UnixConn) error {
		caller := &varlink.Caller{Conn: conn}
		err := caller.Send(ctx, varlink.Ask{Method: methodWatch, In: watchIn{r.Name(), c.Version}.text()})
		if err == nil {
			err = c.whileItAnswers(ctx, caller, nil, false)
		}
		if err != nil {
			return err
		}
		if watched, err := r.Watched(); err == nil && !watched {
			return errors.New("what answers at the socket does not watch the runtime")
		}
		return nil
	})
}

// text returns the request as JSON where it is plain, else itself: see [plainjson].
func (in watchIn) text() any {
	if in.Version == "" || !plainjson.Has(in.Name) || !plainjson.Has(in.Version) {
		return in
	}
	return json.RawMessage(`{"name":"` + in.Name + `","version":"` + in.Version + `"}`)
}

// runs reports whether the process at the other end of a connection is there and not stopped.
func runs(conn *net.UnixConn) bool { return isIn(conn, process.Running) }

// isStopped reports whether that process is there and stopped.
func isStopped(conn *net.UnixConn) bool { return isIn(conn, process.Stopped) }

func isIn(conn *net.UnixConn, state process.State) bool {
	peer, err := unixsocket.PeerOf(conn)
	if err != nil {
		return false
	}
	now, err := process.Lookup(peer.Process.PID)
	return err == nil && now.Identity == peer.Process && now.State == state
}

// greet returns nil when the resident gives a sign of life in time: one that is stopped will not,
// and one that runs may wait for a processor.
func (c *Client) greet(ctx context.Context, caller *varlink.Caller, most time.Duration) error {
	if err := caller.Send(ctx, varlink.Ask{Method: methodStatus}); err != nil {
		return err
	}
	for waited := quick; ; waited += quick {
		err := within(ctx, quick, func(ctx context.Context) error { return caller.Receive(ctx, nil) })
		if !errors.Is(err, context.DeadlineExceeded) || ctx.Err() != nil || waited >= most || !runs(caller.Conn) {
			return err
		}
	}
}

// patience is how long the resident may take to give a sign of life.
func (c *Client) patience() time.Duration { return cmp.Or(c.Patience, patience) }

// whileItAnswers reads an answer that may take long, where many runtimes are started at once. It
// gives up when the resident does not answer others: it may have been stopped since it was greeted.
// One that was not greeted, and is stopped, gets no more time.
func (c *Client) whileItAnswers(ctx context.Context, caller *varlink.Caller, out any, greeted bool) error {
	receive := func(ctx context.Context) error { return caller.Receive(ctx, out) }
	for {
		err := within(ctx, quick, receive)
		if !errors.Is(err, context.DeadlineExceeded) || ctx.Err() != nil {
			return err
		}
		switch {
		case greeted:
			err = c.greetAnew(ctx, c.patience())
		case !isStopped(caller.Conn):
			err = c.greetAnew(ctx, c.patience()-quick) // so long it has had
		}
		if err == nil {
			greeted = true
			continue
		}
		// It may have answered meanwhile.
		if last := within(ctx, breath, receive); last == nil || ctx.Err() != nil {
			return last
		}
		return err
	}
}

// greetAnew returns nil when the resident answers another connection in time.
func (c *Client) greetAnew(ctx context.Context, most time.Duration) error {
	conn, err := c.dial(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	return c.greet(ctx, &varlink.Caller{Conn: conn}, most)
}

// within does what ends after a time.
func within(ctx context.Context, limit time.Duration, do func(context.Context) error) error {
	limited, done := context.WithTimeout(ctx, limit)
	defer done()
	return do(limited)
}
