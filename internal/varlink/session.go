package varlink

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"time"
)

// Limits bounds what a client may take. A zero field has its default.
type Limits struct {
	// Request is the length of the longest request in bytes: 64 KiB.
	Request int
	// Idle is how long a connection may be silent before a request begins: 10 s.
	Idle time.Duration
	// Finish is how long a request may take from its first byte to its last: 2 s.
	Finish time.Duration
	// Reply is how long the client may take to read a reply: 2 s.
	Reply time.Duration
}

func (l Limits) withDefaults() Limits {
	if l.Request <= 0 {
		l.Request = 64 << 10
	}
	for _, d := range []struct {
		limit  *time.Duration
		preset time.Duration
	}{{&l.Idle, 10 * time.Second}, {&l.Finish, 2 * time.Second}, {&l.Reply, 2 * time.Second}} {
		if *d.limit <= 0 {
			*d.limit = d.preset
		}
	}
	return l
}

// Handle answers the requests of a connection, one after the other, until the client closes
// it, and closes it too. What is no request gets one error and ends the connection, and is
// the error that Handle returns. When ctx ends, a request in work is still answered.
func (s *Service) Handle(ctx context.Context, conn *net.UnixConn, limits Limits) error {
	c := newSession(s, conn, limits)
	defer context.AfterFunc(ctx, c.stop)()
	return c.run(ctx)
}

// A session is the connection of one client.
type session struct {
	service *Service
	conn    *net.UnixConn
	limits  Limits
	// work is told when a request begins, and when it is answered. Before the first
	// request it is told nothing.
	work func(begins bool)

	mu       sync.Mutex
	waits    bool // for the first byte of a request
	stopping bool
}

func newSession(s *Service, conn *net.UnixConn, limits Limits) *session {
	return &session{service: s, conn: conn, limits: limits.withDefaults(), work: func(bool) {}}
}

// grace is how long a connection may be silent while its server stops: a request that was
// sent before is read. A deadline that is past would make Go read nothing.
const grace = 100 * time.Millisecond

// stop ends a connection on which no request is in work.
func (c *session) stop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stopping = true
	if c.waits {
		_ = c.conn.SetReadDeadline(time.Now().Add(grace))
	}
}

func (c *session) patience() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.waits = true
	if c.stopping {
		return min(grace, c.limits.Idle)
	}
	return c.limits.Idle
}

func (c *session) begun() {
	c.mu.Lock()
	c.waits = false
	c.mu.Unlock()
	c.work(true)
}

func (c *session) run(ctx context.Context) error {
	defer c.conn.Close()
	f := &frames{source: c.conn, most: c.limits.Request, rest: c.limits.Finish, patience: c.patience, begun: c.begun}
	for first := true; ; first = false {
		text, err := f.next()
		if err != nil {
			return c.end(err, first)
		}
		if err := c.answer(ctx, text); err != nil {
			return err
		}
		if c.stops() && !f.ahead() {
			return nil
		}
		c.work(false)
	}
}

// end answers what came in place of a request. A connection may end between requests, and
// when its server stops. An error then would look like the answer to the next request.
func (c *session) end(err error, first bool) error {
	_, network := errors.AsType[*net.OpError](err)
	switch {
	case err == io.EOF:
		return nil
	case network: // reset: no client reads an answer
		return err
	case errors.Is(err, errSilent) && (!first || c.stops()):
		return nil
	}
	return errors.Join(err, c.send(nil, NewError(InvalidRequest, err.Error())))
}

func (c *session) stops() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.stopping
}

// answer answers a request. After an error the connection is to be closed.
func (c *session) answer(ctx context.Context, text []byte) error {
	m, err := parse(text)
	if err != nil {
		return c.end(err, true)
	}
	result, failed := c.service.call(ctx, &Request{Method: m.Method, parameters: m.Parameters, conn: c.conn})
	if m.Oneway {
		return nil
	}
	return c.send(result, failed)
}

func (c *session) send(result any, failed *Error) error {
	text, err := encodeReply(result, failed)
	if err != nil {
		c.service.report(err)
		text, err = encodeReply(nil, NewError(Failed, "the reply cannot be encoded: "+err.Error()))
	}
	if err == nil {
		err = c.conn.SetWriteDeadline(time.Now().Add(c.limits.Reply))
	}
	if err == nil {
		_, err = c.conn.Write(text)
	}
	return err
}
