package varlink

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"time"
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
	if err := call(ctx, conn, method, in, out); err != nil {
		return fmt.Errorf("call %s: %w", method, err)
	}
	return nil
}

func call(ctx context.Context, conn *net.UnixConn, method string, in, out any) error {
	request, err := encodeRequest(method, in)
	if err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	deadline, _ := ctx.Deadline() // the zero time is none
	if err := conn.SetDeadline(deadline); err != nil {
		return err
	}
	defer interrupt(ctx, conn)()
	// A service that refuses early has answered, although the request cannot be written.
	_, unsent := conn.Write(request)
	text, err := receive(conn)
	if err != nil {
		return explain(ctx, err, unsent)
	}
	return decodeReply(text, out)
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

func encodeRequest(method string, in any) ([]byte, error) {
	m := message{Method: method}
	if in != nil {
		parameters, err := json.Marshal(in)
		if err != nil {
			return nil, err
		}
		m.Parameters = parameters
	}
	text, err := json.Marshal(m)
	return append(text, 0), err
}

// receive reads one message.
func receive(conn *net.UnixConn) ([]byte, error) {
	text := make([]byte, 0, firstRoom)
	for {
		if len(text) == cap(text) {
			text = append(text, 0)[:len(text)]
		}
		n, err := conn.Read(text[len(text):cap(text)])
		end := bytes.IndexByte(text[len(text):len(text)+n], 0)
		switch text = text[:len(text)+n]; {
		case end >= 0 && end < n-1:
			return nil, fmt.Errorf("%w: there is more after it", errReply)
		case end >= 0:
			return text[:len(text)-1], nil
		case len(text) > mostReply:
			return nil, fmt.Errorf("%w: it has more than %d bytes", errReply, mostReply)
		case err != nil:
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

func decodeReply(text []byte, out any) error {
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
