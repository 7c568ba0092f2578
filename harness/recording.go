package harness

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"time"
)

// A recording keeps the input and output of a terminal in order.
type recording struct {
	mu      sync.Mutex
	began   time.Time
	rows    int
	columns int
	passed  []passage
	seen    []byte        // all output
	end     error         // why the output has ended; nil while it has not
	changed chan struct{} // closed and replaced when seen or end change
}

// A passage is a piece of input or output, or a change of the size.
type passage struct {
	at    time.Duration
	typed bool
	bytes []byte
	size  string // the new size; then there are no bytes
}

func newRecording(rows, columns int) *recording {
	return &recording{rows: rows, columns: columns, began: time.Now(), changed: make(chan struct{})}
}

func (r *recording) typed(b []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.keep(true, b)
}

func (r *recording) shown(b []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.keep(false, b)
	r.seen = append(r.seen, b...)
	r.wake()
}

func (r *recording) ended(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.end = err
	r.wake()
}

func (r *recording) resized(rows, columns int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.passed = append(r.passed, passage{at: time.Since(r.began), size: fmt.Sprintf("%dx%d", columns, rows)})
}

// keep adds a passage. Its caller holds mu.
func (r *recording) keep(typed bool, b []byte) {
	r.passed = append(r.passed, passage{at: time.Since(r.began), typed: typed, bytes: append([]byte(nil), b...)})
}

// wake wakes find. Its caller holds mu.
func (r *recording) wake() {
	close(r.changed)
	r.changed = make(chan struct{})
}

// find waits until pattern matches the output from offset on, and returns the indices
// of match and submatches in the whole output.
func (r *recording) find(ctx context.Context, pattern *regexp.Regexp, offset int) ([]int, error) {
	for {
		r.mu.Lock()
		match, end, changed := pattern.FindSubmatchIndex(r.seen[offset:]), r.end, r.changed
		r.mu.Unlock()
		if match != nil {
			return shift(match, offset), nil
		}
		if end != nil {
			return nil, fmt.Errorf("expect %s: the terminal ended (%w); last seen: %q", pattern, end, r.last(offset))
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, fmt.Errorf("expect %s: %w; last seen: %q", pattern, ctx.Err(), r.last(offset))
		}
	}
}

func shift(indices []int, by int) []int {
	for i := range indices {
		if indices[i] >= 0 {
			indices[i] += by
		}
	}
	return indices
}

// text returns the output between two offsets, with plain line ends.
func (r *recording) text(from, to int) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return strings.ReplaceAll(string(r.seen[from:to]), "\r\n", "\n")
}

// last returns the end of the output since offset, short enough for a message.
func (r *recording) last(offset int) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	const enough = 600
	return string(r.seen[max(offset, len(r.seen)-enough):])
}

// String returns the recording as text: the time, > before input and < before
// output.
func (r *recording) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var page strings.Builder
	for i := 0; i < len(r.passed); {
		p := r.passed[i]
		piece := append([]byte(nil), p.bytes...)
		for i++; i < len(r.passed) && r.passed[i].typed == p.typed; i++ {
			piece = append(piece, r.passed[i].bytes...)
		}
		writePassage(&page, passage{at: p.at, typed: p.typed, bytes: piece})
	}
	if r.end != nil {
		fmt.Fprintf(&page, "         . %v\n", r.end)
	}
	return page.String()
}

func writePassage(page *strings.Builder, p passage) {
	sign := "<"
	if p.typed {
		sign = ">"
	}
	when := fmt.Sprintf("%8.3f", p.at.Seconds())
	text := strings.ReplaceAll(string(p.bytes), "\r\n", "\n")
	for line := range strings.Lines(text) {
		fmt.Fprintf(page, "%s %s %s\n", when, sign, visible(strings.TrimSuffix(line, "\n")))
		when = strings.Repeat(" ", len(when))
	}
}

// visible returns a line with control characters as a terminal echoes them: ^C.
func visible(line string) string {
	var out strings.Builder
	for _, r := range line {
		switch {
		case r == '\t' || r >= ' ' && r != 0x7f:
			out.WriteRune(r)
		case r == 0x7f:
			out.WriteString("^?")
		default:
			out.WriteString("^" + string(r+'@'))
		}
	}
	return out.String()
}
