package trees

import "fmt"

// A Verdict is what the process table shows of a tree.
type Verdict uint8

const (
	// Unknown: not established. It is never to be taken for Empty.
	Unknown Verdict = iota
	// Alive: the tree has members.
	Alive
	// Empty: no member is left, and reading on found none.
	Empty
)

// String returns the verdict as one lower-case word.
func (v Verdict) String() string {
	switch v {
	case Unknown:
		return "unknown"
	case Alive:
		return "alive"
	case Empty:
		return "empty"
	}
	return fmt.Sprintf("verdict %d", uint8(v))
}
