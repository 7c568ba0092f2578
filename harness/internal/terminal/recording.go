// Package terminal has pseudo-terminals for tests, and recordings of what programs read
// and write at terminals and pipes.
package terminal

import (
	"bytes"
	"fmt"
	"slices"
	"sync"
	"time"
)

// A Recording keeps the input and output of a program in order: as raw bytes for a
// screen and an asciicast, and the output also as text with plain line ends, in which
// Find searches. Any goroutine may use it. A terminal has one; a Reader fills one from a
// pipe.
type Recording struct {
	mu      sync.Mutex
	began   time.Time
	rows    int
	columns int
	passed  []Passage
	raw     []byte        // all output
	text    []byte        // all output with plain line ends
	returns int           // carriage returns at the end of raw that are not in text yet
	end     error         // why the output has ended; nil while it has not
	changed chan struct{} // closed and replaced when raw, the size or end change
}

// A Passage is a piece of input or output, or a change of the size.
type Passage struct {
	At    time.Duration // since Began
	Typed bool          // input; false for output
	Bytes []byte        // of the recording: not to be changed
	// Rows and Columns are the new size, or 0. Then there are no Bytes.
	Rows, Columns int
}

// NewRecording returns an empty recording. Rows and columns are the size in its
// asciicast.
func NewRecording(rows, columns int) *Recording {
	return &Recording{rows: rows, columns: columns, began: time.Now(), changed: make(chan struct{})}
}

// Typed adds input.
func (r *Recording) Typed(b []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.keep(Passage{Typed: true, Bytes: bytes.Clone(b)})
}

// Shown adds output.
func (r *Recording) Shown(b []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.keep(Passage{Bytes: bytes.Clone(b)})
	r.raw = append(r.raw, b...)
	r.text, r.returns = appendPlain(r.text, r.returns, b)
	r.wake()
}

// Ended says that no more output comes, and why. Only the first reason is kept.
func (r *Recording) Ended(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.end != nil {
		return
	}
	r.end = err
	r.text = append(r.text, bytes.Repeat([]byte("\r"), r.returns)...)
	r.returns = 0
	r.wake()
}

// Resized adds a change of the size.
func (r *Recording) Resized(rows, columns int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.keep(Passage{Rows: rows, Columns: columns})
	r.wake()
}

// keep adds a passage. Its caller holds mu.
func (r *Recording) keep(p Passage) {
	p.At = time.Since(r.began)
	r.passed = append(r.passed, p)
}

// wake wakes all that wait for Changed. Its caller holds mu.
func (r *Recording) wake() {
	close(r.changed)
	r.changed = make(chan struct{})
}

// appendPlain appends b to text, with "\r\n" (and more returns before it, which a
// program at a terminal causes that writes "\r\n" itself) as "\n". A return at the end of
// b may be the first half of a line end, so it is counted, not appended, until the next
// byte.
func appendPlain(text []byte, returns int, b []byte) ([]byte, int) {
	for _, c := range b {
		if c == '\r' {
			returns++
			continue
		}
		if c == '\n' {
			returns = 0
		}
		for ; returns > 0; returns-- {
			text = append(text, '\r')
		}
		text = append(text, c)
	}
	return text, returns
}

// Began returns the time when the recording was made.
func (r *Recording) Began() time.Time { return r.began }

// Passages returns the passages from number n on, in order. A caller that has seen k of
// them continues with n+k.
func (r *Recording) Passages(n int) []Passage {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.passed[n:])
}

// Since returns the raw output from a byte offset on. Its bytes are not to be changed.
func (r *Recording) Since(offset int) []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clip(r.raw[offset:])
}

// Text returns the output between two offsets, with plain line ends.
func (r *Recording) Text(from, to int) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return string(r.text[from:to])
}

// Len returns the length of the text, the offset that a search of the text to come
// starts at.
func (r *Recording) Len() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.text)
}

// Changed returns a channel that is closed at the next output, change of the size or
// end. A caller takes it before it looks, and waits after.
func (r *Recording) Changed() <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.changed
}

// End returns why the output has ended, or nil.
func (r *Recording) End() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.end
}

func (p Passage) size() string { return fmt.Sprintf("%dx%d", p.Columns, p.Rows) }
