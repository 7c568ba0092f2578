//go:build darwin || linux

package harness

import (
	"errors"
	"fmt"
	"regexp"
	"time"

	"github.com/gemini-monitor/gemini/harness/internal/terminal"
)

// A Pattern is a regular expression in the syntax of package regexp, as an alternative of
// Expect. It is tried on incomplete output too: `= (\d+)` may match "= 4" before the 2 of
// "= 42" has come, and $ is the end of what has come so far. What follows in the output, as \n,
// belongs to the pattern. ^ is also where the search begins, behind the last match.
type Pattern string

// A Match is what Expect has found. Its texts have plain line ends, \n.
type Match struct {
	Index  int      // of the alternative
	Text   string   // that was found
	Groups []string // what the groups of a Pattern have matched; the first one has index 0
	Before string   // what came between the last match and this one

	end int
}

// find waits for one of the alternatives in a recording.
func (t *Tree) find(r *terminal.Recording, alternatives []any, from int, w writers) (Match, error) {
	wanted, err := compile(alternatives)
	if err != nil {
		return Match{}, err
	}
	ctx, cancel := t.stage.bound(t.limit)
	defer cancel()
	found, err := r.Find(ctx, wanted, from, w.over(t.tree))
	if err != nil {
		return Match{}, w.missed(t.tree, r, err)
	}
	return Match{found.Index, found.Text, found.Groups, found.Before, found.End}, nil
}

// early completes the error of a search: whether an alternative came before it began.
func early(err error, r *terminal.Recording, alternatives []any, from int) error {
	wanted, bad := compile(alternatives)
	if bad != nil {
		return err
	}
	if had, found := r.Had(wanted, from); found {
		return fmt.Errorf("%w; %v came before the end of the last match, where the search begins", err, had)
	}
	return err
}

// over says how the command has ended, or that nothing tells about it any more. The output
// of a command ends a moment before its exit is reported, so over waits for that a while.
func (t *tree) over() error {
	late := time.NewTimer(exitTime)
	defer late.Stop()
	select {
	case <-t.process.exited:
		return t.ended()
	case <-t.process.guard.gone:
		return t.process.guard.lost()
	case <-late.C:
		return errors.New("the command lives, and no process can write any more")
	}
}

// exitTime is how long a message of a failure waits for the report of an exit.
const exitTime = time.Second

// compile returns alternatives for a search.
func compile(alternatives []any) ([]terminal.Alternative, error) {
	if len(alternatives) == 0 {
		return nil, errors.New("expect: nothing is expected")
	}
	var wanted []terminal.Alternative
	for _, a := range alternatives {
		switch a := a.(type) {
		case string:
			wanted = append(wanted, terminal.Literal(a))
		case Pattern:
			pattern, err := regexp.Compile(string(a))
			if err != nil {
				return nil, fmt.Errorf("expect: %w", err)
			}
			wanted = append(wanted, terminal.Pattern(pattern))
		default:
			return nil, fmt.Errorf("expect: %#v has the type %T: an alternative is a string or a Pattern", a, a)
		}
	}
	return wanted, nil
}
