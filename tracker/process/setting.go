package process

import (
	"bytes"
	"errors"
)

// ErrBetween reports that a process has no environment at this moment, because it is
// just beginning to run another program.
var ErrBetween = errors.New("the process is between two programs")

const (
	// longestValue is the length from which on a value is cut.
	longestValue = 4 << 10
	// longestEnvironment is how much of an environment is looked at. The kernels allow a
	// few MiB, but the area can be moved and belongs to the process.
	longestEnvironment = 16 << 20
)

// A settingScan finds the values of one variable in the bytes of an environment:
// settings that end with a zero byte. They come in pieces of any size.
type settingScan struct {
	name   []byte // with the equals sign
	values []string
	found  bool   // the setting at hand is one of the variable
	other  bool   // it is not
	held   []byte // of it, as far as it may matter
	seen   int
}

func newSettingScan(name string) *settingScan { return &settingScan{name: []byte(name + "=")} }

// take takes the next piece. It reports whether it wants more.
func (s *settingScan) take(piece []byte) (more bool) {
	s.seen += len(piece)
	for len(piece) > 0 {
		end := bytes.IndexByte(piece, 0)
		if end < 0 {
			s.hold(piece)
			break
		}
		s.hold(piece[:end])
		s.end()
		piece = piece[end+1:]
	}
	return s.seen < longestEnvironment
}

// hold keeps what may belong to a value.
func (s *settingScan) hold(text []byte) {
	if s.other {
		return
	}
	if room := len(s.name) + longestValue - len(s.held); len(text) > room {
		text = text[:room]
	}
	s.held = append(s.held, text...)
	if !s.found && len(s.held) >= len(s.name) {
		s.found = bytes.HasPrefix(s.held, s.name)
		s.other = !s.found
	}
}

// end ends a setting.
func (s *settingScan) end() {
	if s.found {
		s.values = append(s.values, string(s.held[len(s.name):]))
	}
	s.found, s.other, s.held = false, false, s.held[:0]
}
