package resident

import (
	"context"
	"net"
)

// An ahead connects before there is anything to ask.
type ahead struct {
	end   context.CancelFunc
	ended chan struct{} // closed when conn and err are there
	conn  *net.UnixConn
	err   error
}

// Hasten begins to connect to the resident, and to start it where none serves, while the caller
// does something else. The first request waits for that. The caller calls stop before its
// process becomes another program or ends, also where it has made no request.
func (c *Client) Hasten(ctx context.Context) (stop func()) {
	ctx, end := context.WithCancel(ctx)
	a := &ahead{end: end, ended: make(chan struct{})}
	c.ahead = a
	go func() {
		defer close(a.ended)
		if a.err = c.Store.Make(); a.err == nil {
			a.conn, a.err = c.connect(ctx)
		}
	}()
	return func() {
		if c.ahead != a {
			return // a request has the connection
		}
		end()
		if conn, err := c.connection(context.Background()); err == nil {
			conn.Close()
		}
	}
}

// connection returns a connection to the resident: the one that is made ahead, or a new one.
func (c *Client) connection(ctx context.Context) (*net.UnixConn, error) {
	a := c.ahead
	if a == nil {
		return c.connect(ctx)
	}
	c.ahead = nil
	defer context.AfterFunc(ctx, a.end)()
	<-a.ended
	return a.conn, a.err
}
