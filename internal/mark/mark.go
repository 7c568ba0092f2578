// Package mark has the marks of trees. A mark is an unguessable word in the environment of
// the processes of a tree, from which a tracker knows an orphan that no other link leads to
// the tree.
package mark

import (
	"crypto/rand"
	"slices"
	"strings"
)

// Variable is the environment variable that has the marks of a process, separated by
// colons: that of the outermost tree first.
const Variable = "MONITOR_MARK"

const (
	separator = ":"
	// size is that of the texts of crypto/rand.Text, which have 128 bits or more.
	size = 26
	// deepest is how many trees can be around each other. Beyond it the outermost ones
	// lose their mark, so that a line of programs which start each other does not
	// lengthen the environment for ever.
	deepest = 64
)

// New returns a mark that no process can guess.
func New() string { return rand.Text() }

// Parse returns the marks in a value of [Variable]. It leaves out what is no mark: the
// environment belongs to the process, so any bytes may stand there.
func Parse(value string) (marks []string) {
	for word := range strings.SplitSeq(value, separator) {
		if wellFormed(word) && !slices.Contains(marks, word) {
			marks = append(marks, word)
		}
	}
	if len(marks) > deepest {
		marks = marks[len(marks)-deepest:]
	}
	return marks
}

// Value is the value of [Variable] for some marks.
func Value(marks []string) string { return strings.Join(marks, separator) }

// Inside returns the marks of a new tree in an environment, whose last one is its own.
// The others are those of the trees around it.
func Inside(environment []string) []string {
	around := Of(environment)
	if len(around) >= deepest {
		around = around[len(around)-deepest+1:]
	}
	return append(slices.Clip(around), New())
}

// Of returns the marks in an environment. Of several settings the last one counts, as for
// exec.Cmd.
func Of(environment []string) []string {
	for _, setting := range slices.Backward(environment) {
		if value, ok := strings.CutPrefix(setting, Variable+"="); ok {
			return Parse(value)
		}
	}
	return nil
}

// Set returns an environment with some marks in place of those that it has.
func Set(environment, marks []string) []string {
	kept := slices.DeleteFunc(slices.Clone(environment), func(setting string) bool {
		return strings.HasPrefix(setting, Variable+"=")
	})
	return append(kept, Variable+"="+Value(marks))
}

// wellFormed reports whether a word has the form of a mark: letters A to Z and digits 2 to 7.
func wellFormed(word string) bool {
	return len(word) == size && !strings.ContainsFunc(word, func(r rune) bool {
		return (r < 'A' || r > 'Z') && (r < '2' || r > '7')
	})
}
