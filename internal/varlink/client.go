package varlink

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"time"

	"github.com/gemini-monitor/gemini/internal/plainjson"
)

// ErrNoAnswer reports that the service closed the connection before it answered. It may or
// may not have carried out the request.
var ErrNoAnswer = errors.New("the service ended the connection without an answer")

// errReply reports an answer that does not follow the protocol.
var errReply = errors.New("the answer is no varlink reply")

// mostReply is the length of the longest reply that Call reads.
const mostReply = 64 << 20

// Call sends a request and reads its answer into out. in and out are structs, or nil for
// none. The deadline of ctx is over both together.
//
// The error is an [*Error] where the service has answered one, [ErrNoAnswer] where it has
// not answered, and that of ctx when it has ended. After any error but the first the
// connection is of no more use. One goroutine at a time uses a connection.
func Call(ctx context.Context, conn *net.UnixConn, method string, in, out any) error {
	c := Caller{Conn: conn}
	err := c.Send(ctx, Ask{method, in})
	if err == nil {
		err = c.Receive(ctx, out)
	}
	if err == nil && len(c.ahead) > 0 {
		err = fmt.Errorf("call %s: %w: there is more after it", method, errReply)
	}
	return err
}

// A Caller sends several requests over a connection before it reads their answers, which
// come in the same order.
type Caller struct {
	Conn *net.UnixConn

	asked  []string // the methods whose answers were not read yet
	ahead  []byte   // what was read of them
	unsent error
}

// An Ask is a request: a method, and a struct with what it takes, or nil. A [json.RawMessage] is
// taken as it is.
type Ask struct {
	Method string
	In     any
}

// Send sends requests at once. A service that refuses early has answered, although they cannot
// be written: then [Caller.Receive] returns that answer, or the error.
func (c *Caller) Send(ctx context.Context, asks ...Ask) error {
	var text []byte
	for _, a := range asks {
		request, err := encodeRequest(a.Method, a.In)
		if err != nil {
			return fmt.Errorf("call %s: %w", a.Method, err)
		}
		text = append(text, request...)
		c.asked = append(c.asked, a.Method)
	}
	err := c.limited(ctx, func() error {
		_, c.unsent = c.Conn.Write(text)
		return nil
	})
	if err != nil {
		return fmt.Errorf("call %s: %w", c.asked[0], err)
	}
	return nil
}

// Receive reads the next answer into a struct, or nil for none. The errors are those of
// [Call]. Where ctx has ended, the answer can still be read by a later call.
func (c *Caller) Receive(ctx context.Context, out any) error {
	if err := c.receive(ctx, out); err != nil {
		return fmt.Errorf("call %s: %w", c.asked[0], err)
	}
	c.asked = c.asked[1:]
	return nil
}

func (c *Caller) receive(ctx context.Context, out any) error {
	var text []byte
	err := c.limited(ctx, func() (err error) {
		text, err = c.next()
		if err != nil {
			err = explain(ctx, err, c.unsent)
		}
		return err
	})
	if err != nil {
		return err
	}
	return decodeReply(text, out)
}

// limited does what ends when ctx does.
func (c *Caller) limited(ctx context.Context, do func() error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	deadline, _ := ctx.Deadline() // the zero time is none
	if err := c.Conn.SetDeadline(deadline); err != nil {
		return err
	}
	defer interrupt(ctx, c.Conn)()
	return do()
}

// interrupt ends what waits for a connection when ctx ends, until release is called. After
// that it moves no deadline.
func interrupt(ctx context.Context, conn *net.UnixConn) (release func()) {
	moved := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(moved)
		_ = conn.SetDeadline(time.Unix(1, 0))
	})
	return func() {
		if !stop() {
			<-moved
		}
	}
}

// encodeRequest writes what is plain itself: see [plainjson].
func encodeRequest(method string, in any) (text []byte, err error) {
	parameters, ready := in.(json.RawMessage)
	if in != nil && !ready {
		if parameters, err = json.Marshal(in); err != nil {
			return nil, err
		}
	}
	if !plainjson.Has(method) {
		text, err = json.Marshal(message{Method: method, Parameters: parameters})
		return append(text, 0), err
	}
	text = append(append(append(text, `{"method":"`...), method...), '"')
	if len(parameters) > 0 {
		text = append(append(text, `,"parameters":`...), parameters...)
	}
	return append(text, '}', 0), nil
}

// next reads one message.
func (c *Caller) next() ([]byte, error) {
	for seen := 0; ; {
		if end := bytes.IndexByte(c.ahead[seen:], 0); end >= 0 {
			text := c.ahead[:seen+end]
			c.ahead = c.ahead[seen+end+1:]
			return text, nil
		}
		if seen = len(c.ahead); seen > mostReply {
			return nil, fmt.Errorf("%w: it has more than %d bytes", errReply, mostReply)
		}
		if seen == cap(c.ahead) {
			c.ahead = slices.Grow(c.ahead, max(firstRoom, seen))
		}
		n, err := c.Conn.Read(c.ahead[seen:cap(c.ahead)])
		if c.ahead = c.ahead[:seen+n]; n == 0 && err != nil {
			return nil, err
		}
	}
}

// explain returns what it means that no answer could be read, and perhaps no request sent.
func explain(ctx context.Context, err, unsent error) error {
	switch {
	case errors.Is(err, errReply):
		return err
	case ctx.Err() != nil:
		return fmt.Errorf("no answer came in time: %w", ctx.Err())
	case errors.Is(err, os.ErrDeadlineExceeded):
		return fmt.Errorf("no answer came in time: %w", context.DeadlineExceeded)
	}
	return fmt.Errorf("%w: %w", ErrNoAnswer, errors.Join(err, unsent))
}

// hasNoError reports whether a reply is an object in which nothing can be an error. It may
// report false of others too.
func hasNoError(text []byte) bool {
	return json.Valid(text) && bytes.HasPrefix(text, []byte{'{'}) &&
		!bytes.ContainsRune(text, '\\') && !bytes.Contains(bytes.ToLower(text), []byte("error"))
}

func decodeReply(text []byte, out any) error {
	if out == nil && hasNoError(text) {
		return nil // encoding/json would prepare a type for it
	}
	var r struct {
		Error      string          `json:"error"`
		Parameters json.RawMessage `json:"parameters"`
	}
	if err := json.Unmarshal(text, &r); err != nil {
		return fmt.Errorf("%w: %w", errReply, err)
	}
	if r.Error != "" {
		return &Error{r.Error, r.Parameters}
	}
	if out == nil || len(r.Parameters) == 0 {
		return nil
	}
	if err := json.Unmarshal(r.Parameters, out); err != nil {
		return fmt.Errorf("%w: its parameters are not those of the method: %w", errReply, err)
	}
	return nil
}
