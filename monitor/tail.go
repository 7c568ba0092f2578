package monitor

import (
	"bytes"
	"errors"
	"io"
	"iter"
	"os"
)

// A tail reads the lines that are added to an open file, which may lose its name meanwhile.
type tail struct {
	file   *os.File
	offset int64 // behind the last whole line that was read
}

const (
	// tailChunk is how much of a file is read at once, unless a line is longer.
	tailChunk = 1 << 13
	// longestTailed is how long a line may be.
	longestTailed = 1 << 20
)

// errNoLine reports a part of a file without a line end. Only another program writes such.
var errNoLine = errors.New("a line is too long")

// lines yields the whole lines behind the offset, without their ends, and moves the offset
// behind each before it is yielded. A line is valid until the next one. What is longer than a
// line can be is passed over with an error.
func (t *tail) lines() iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		chunk := make([]byte, tailChunk)
		for {
			n, err := t.file.ReadAt(chunk, t.offset)
			if err != nil && !errors.Is(err, io.EOF) {
				yield(nil, err)
				return
			}
			text := chunk[:n]
			end := bytes.LastIndexByte(text, '\n') + 1
			switch {
			case end == 0 && n < len(chunk):
				return // nothing, or a part of a line
			case end == 0 && n < longestTailed:
				chunk = make([]byte, 2*n)
				continue
			case end == 0:
				t.offset += int64(n)
				if !yield(nil, errNoLine) {
					return
				}
				continue
			}
			for line := range bytes.Lines(text[:end]) {
				t.offset += int64(len(line))
				if !yield(line[:len(line)-1], nil) {
					return
				}
			}
		}
	}
}

// close closes the file, if there is one.
func (t *tail) close() {
	if t.file != nil {
		t.file.Close()
		t.file = nil
	}
}

// is reports whether a path leads to the open file.
func (t *tail) is(path string) bool {
	if t.file == nil {
		return false
	}
	mine, err := t.file.Stat()
	if err != nil {
		return false
	}
	there, err := os.Lstat(path)
	return err == nil && os.SameFile(mine, there)
}
