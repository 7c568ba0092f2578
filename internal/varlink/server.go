package varlink

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// A Server serves a [Service] to the connections of a listener. Its exported fields are not
// changed once it serves.
type Server struct {
	Service Service
	Limits  Limits
	// MaxConnections is how many connections are served at once: 128. One more gets [Busy].
	MaxConnections int
	// Admit is called before a connection is served, if it is set. After an error the
	// client gets [NotPermitted] with its text, and the connection is closed.
	Admit func(*net.UnixConn) error
	// Idle is called after each time that no request is in work any more, if it is set,
	// by the goroutine of a connection.
	Idle func()

	mu       sync.Mutex
	sessions map[*session]bool // true: with a request in work
	working  int               // how many are
	stopping bool
	// ended has room for one word, that a connection has ended.
	ended chan struct{}
	all   sync.WaitGroup
}

// An Acceptor waits for connections, as listeners do.
type Acceptor interface {
	Accept() (*net.UnixConn, error)
}

const defaultConnections = 128

// Serve accepts connections and answers them until the listener fails, and returns its
// error; nil if the listener was closed. Connections that are open then are still served:
// see [Server.Wait]. ctx is that of the requests. It does not end Serve.
//
// When this process or the machine has no descriptor left, the clients get [Busy].
func (s *Server) Serve(ctx context.Context, l Acceptor) error {
	s.prepare()
	spare := new(spare)
	spare.renew()
	defer spare.drop()
	for pause := firstPause; ; {
		conn, err := l.Accept()
		switch {
		case err == nil:
			pause = firstPause
			s.Take(ctx, conn)
		case errors.Is(err, net.ErrClosed):
			return nil
		case !exhausted(err):
			return fmt.Errorf("accept a connection: %w", err)
		case spare.drop():
			s.turnAway(ctx, l, spare)
			spare.renew()
		default:
			s.await(pause)
			pause = min(2*pause, longestPause)
			spare.renew()
		}
	}
}

// The pauses of Serve while there is no descriptor, not even the spare one.
const (
	firstPause   = 10 * time.Millisecond
	longestPause = time.Second
)

func (s *Server) prepare() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sessions == nil {
		s.sessions, s.ended = make(map[*session]bool), make(chan struct{}, 1)
	}
}

// exhausted reports whether an error of accept(2) is the lack of a resource. The connection
// is still in the queue then.
func exhausted(err error) bool {
	for _, errno := range []syscall.Errno{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM} {
		if errors.Is(err, errno) {
			return true
		}
	}
	return false
}

// turnAway accepts a connection by the descriptor that was the spare one. The queue may have
// been empty: Linux looks for a descriptor first (docs/linux.md L56). So when a client comes,
// there may be others again, and the connection is served.
func (s *Server) turnAway(ctx context.Context, l Acceptor, spare *spare) {
	conn, err := l.Accept()
	switch {
	case err != nil: // Serve asks again
	case spare.renew():
		s.Take(ctx, conn)
	default:
		s.sayAndClose(conn, Busy, "the service has no file descriptor left; try again later")
	}
}

// await waits until a connection has ended, for a pause at most.
func (s *Server) await(pause time.Duration) {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-s.ended:
	case <-timer.C:
	}
}

// Take answers a connection that was accepted elsewhere, as [Server.Serve] does. It returns
// at once.
func (s *Server) Take(ctx context.Context, conn *net.UnixConn) {
	s.prepare()
	c := s.enter(conn)
	if c == nil {
		s.sayAndClose(conn, Busy, fmt.Sprintf("the service has %d connections, and no more are allowed; try again later", s.most()))
		return
	}
	s.all.Go(func() {
		defer s.leave(c)
		defer context.AfterFunc(ctx, c.stop)()
		if s.Admit != nil {
			if err := s.Admit(conn); err != nil {
				s.sayAndClose(conn, NotPermitted, err.Error())
				return
			}
		}
		_ = c.run(ctx) // the client was told
	})
}

func (s *Server) most() int {
	if s.MaxConnections > 0 {
		return s.MaxConnections
	}
	return defaultConnections
}

// enter counts a connection, with a request in work: the client has one, or will. It
// returns nil if there are too many.
func (s *Server) enter(conn *net.UnixConn) *session {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.sessions) >= s.most() {
		return nil
	}
	c := newSession(&s.Service, conn, s.Limits)
	c.stopping = s.stopping
	c.work = func(begins bool) { s.work(c, begins) }
	s.sessions[c] = true
	s.working++
	return c
}

// work notes that a connection has a request in work, or none.
func (s *Server) work(c *session, begins bool) {
	s.mu.Lock()
	had := s.sessions[c]
	s.sessions[c] = begins
	switch {
	case begins && !had:
		s.working++
	case had && !begins:
		s.working--
	}
	idle := had && !begins && s.working == 0
	s.mu.Unlock()
	if idle && s.Idle != nil {
		s.Idle()
	}
}

func (s *Server) leave(c *session) {
	s.work(c, false)
	s.mu.Lock()
	delete(s.sessions, c)
	s.mu.Unlock()
	select {
	case s.ended <- struct{}{}:
	default:
	}
}

// InWork returns how many connections have a request in work. A new connection has one
// until its first request is answered; afterwards a request is in work from its first byte
// until it is answered.
func (s *Server) InWork() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.working
}

// Connections returns how many connections are open.
func (s *Server) Connections() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.sessions)
}

// Wait ends the connections without a request in work and waits until the others are
// answered. When ctx ends first, it closes them and returns the error of ctx. It is called
// after Serve has returned, and after the last call of Take.
func (s *Server) Wait(ctx context.Context) error {
	s.mu.Lock()
	s.stopping = true
	for c := range s.sessions {
		c.stop()
	}
	s.mu.Unlock()
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.all.Wait()
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.sessions {
		_ = c.conn.Close()
	}
	return ctx.Err()
}

// sayAndClose sends one error and closes a connection. The buffer of a new connection has
// room for it.
func (s *Server) sayAndClose(conn *net.UnixConn, name, reason string) {
	c := newSession(&s.Service, conn, s.Limits)
	_ = c.send(nil, NewError(name, reason))
	_ = conn.Close()
}

// A spare is a descriptor to be closed when there is no other one.
type spare struct{ file *os.File }

// renew opens the descriptor and reports whether there is one.
func (s *spare) renew() bool {
	if s.file != nil {
		return true
	}
	file, err := os.Open(os.DevNull)
	if err != nil {
		return false
	}
	s.file = file
	return true
}

// drop closes the descriptor and reports whether there was one.
func (s *spare) drop() bool {
	if s.file == nil {
		return false
	}
	_ = s.file.Close()
	s.file = nil
	return true
}
