package process

import (
	"strings"
)

// Events is a set of things that happened to a process.
type Events uint8

const (
	// Forked: the process made a child, or several. See [Forks].
	Forked Events = 1 << iota
	// Execed: the process runs another program now.
	Execed
	// Exited: the process is dead, its descriptors are closed, and its living
	// children have init as their parent already.
	Exited
)

// Has reports whether every event of e is in the set.
func (s Events) Has(e Events) bool { return s&e == e }

// String returns the events joined by "+".
func (s Events) String() string {
	var words []string
	for i, word := range [...]string{"fork", "exec", "exit"} {
		if s.Has(1 << i) {
			words = append(words, word)
		}
	}
	return strings.Join(words, "+")
}

// Forks is how much the kernel reports of the forks of a watched process.
type Forks uint8

const (
	// ForksUnseen: nothing (Linux where only pidfds work).
	ForksUnseen Forks = iota
	// ForksAnnounced: that there were some (macOS, EVFILT_PROC).
	ForksAnnounced
	// ForksNamed: each one, with the PID of the child (Linux, proc connector).
	ForksNamed
)

// String returns one lower-case word.
func (f Forks) String() string { return [...]string{"unseen", "announced", "named"}[f] }

// MarshalText writes the word.
func (f Forks) MarshalText() ([]byte, error) { return []byte(f.String()), nil }
