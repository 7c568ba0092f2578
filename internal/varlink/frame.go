package varlink

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"
)

// A source is what a frame reader needs of a connection.
type source interface {
	io.Reader
	SetReadDeadline(time.Time) error
}

// frames reads the requests of a connection. It reads ahead, as a client may send a request
// before it has the answer to the last one.
type frames struct {
	source source
	// most is the length of the longest request, without the zero byte.
	most int
	// patience returns how long the source may be silent before a request begins. It may
	// change at any time: who changes it also moves the deadline of a read that waits.
	patience func() time.Duration
	// rest is how long a request may take from its first byte on.
	rest time.Duration
	// begun is called at the first byte of a request.
	begun func()

	buffer []byte // what was read
	used   int    // the part of it that next has returned
}

// The errors of next beside those of the source. With errSilent and [io.EOF] no request has
// begun.
var (
	errSilent = errors.New("no request came")
	errSlow   = errors.New("the request did not end in time")
	errHalf   = errors.New("the connection ended within a request: no zero byte came")
	errLong   = errors.New("the request is too long")
	errBegin  = errors.New("a request is a JSON object, so it begins with {")
)

// next returns the next request, without its zero byte. It is valid until the next call.
func (f *frames) next() ([]byte, error) {
	f.forget()
	if err := f.begin(); err != nil {
		return nil, err
	}
	for seen := 0; ; {
		if at := bytes.IndexByte(f.buffer[seen:], 0); at >= 0 && seen+at <= f.most {
			f.used = seen + at + 1
			return f.buffer[:seen+at], nil
		}
		seen = len(f.buffer)
		switch {
		case seen > f.most:
			return nil, fmt.Errorf("%w: it has more than %d bytes", errLong, f.most)
		case !mayBegin(f.buffer):
			return nil, errBegin
		}
		if err := f.fill(); err != nil {
			return nil, f.cut(err)
		}
	}
}

// The room for requests: of a short one, and what is kept after a long one.
const (
	firstRoom = 1 << 10
	keptRoom  = 8 << 10
)

// forget drops the request that next has returned.
func (f *frames) forget() {
	rest := f.buffer[f.used:]
	if f.used = 0; len(rest) == 0 && cap(f.buffer) > keptRoom {
		f.buffer = nil
		return
	}
	f.buffer = append(f.buffer[:0], rest...)
}

// ahead reports whether more was read than next has returned.
func (f *frames) ahead() bool { return len(f.buffer) > f.used }

// begin waits for the first byte of a request, and sets the deadline for the others.
func (f *frames) begin() error {
	if len(f.buffer) == 0 {
		if err := f.await(); err != nil {
			return err
		}
	}
	f.begun()
	return f.source.SetReadDeadline(time.Now().Add(f.rest))
}

func (f *frames) await() error {
	patience := f.patience()
	for moved := true; moved; {
		if err := f.source.SetReadDeadline(time.Now().Add(patience)); err != nil {
			return err
		}
		// It may have changed before the deadline was set, and then nothing has moved that.
		now := f.patience()
		moved, patience = now != patience, now
	}
	err := f.fill()
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return fmt.Errorf("%w within %v", errSilent, f.patience())
	}
	return err
}

// fill reads at least one byte.
func (f *frames) fill() error {
	if len(f.buffer) == cap(f.buffer) {
		f.buffer = slices.Grow(f.buffer, max(firstRoom, min(len(f.buffer), f.most+1-len(f.buffer))))
	}
	n, err := f.source.Read(f.buffer[len(f.buffer):cap(f.buffer)])
	f.buffer = f.buffer[:len(f.buffer)+n]
	switch {
	case n > 0:
		return nil
	case err == nil:
		return io.ErrNoProgress
	}
	return err
}

// cut returns what an error means within a request.
func (f *frames) cut(err error) error {
	switch {
	case err == io.EOF:
		return errHalf
	case errors.Is(err, os.ErrDeadlineExceeded):
		return fmt.Errorf("%w: %v after its first byte no zero byte has come", errSlow, f.rest)
	}
	return err
}

// mayBegin reports whether some bytes can be the beginning of a request.
func mayBegin(text []byte) bool {
	text = bytes.TrimLeft(text, " \t\r\n")
	return len(text) == 0 || text[0] == '{'
}
