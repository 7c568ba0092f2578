package terminal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// ErrEnded is in the error of Find if what it waits for cannot come any more.
var ErrEnded = errors.New("the output has ended")

// An Alternative is one text that Find waits for: make it with Literal or Pattern.
type Alternative struct {
	literal string
	pattern *regexp.Regexp
}

// Literal is found where text is. Its line ends are made plain, as those of the output.
func Literal(text string) Alternative {
	return Alternative{literal: strings.ReplaceAll(text, "\r\n", "\n")}
}

// Pattern is found where a regular expression matches. ^ and \A match where the search
// begins.
func Pattern(pattern *regexp.Regexp) Alternative { return Alternative{pattern: pattern} }

// String returns a literal in quotes, or a pattern between slashes, shortened.
func (a Alternative) String() string {
	if a.pattern != nil {
		return "/" + short(a.pattern.String()) + "/"
	}
	return strconv.Quote(short(a.literal))
}

// short returns text without its middle, if it is longer than 200 bytes.
func short(text string) string {
	const end = 100
	if len(text) <= 2*end {
		return text
	}
	return strings.ToValidUTF8(text[:end], "") + " ... " + strings.ToValidUTF8(text[len(text)-end:], "")
}

// A Match is what Find has found. Its texts have plain line ends.
type Match struct {
	Index  int      // of the alternative
	Text   string   // that matches
	Groups []string // the submatches of a pattern, "" for one that takes no part
	Before string   // from the begin of the search to the match
	End    int      // the offset behind the match, where the next search begins
}

// A NotFound is the error of Find.
type NotFound struct {
	Expected string // the alternatives, joined with "or"
	Seen     string // the end of the text since the begin of the search, 600 bytes at most
	Cause    error  // ErrEnded with its reason, or the error of the context
}

// Error says what was expected, why it was not found, and what was seen instead.
func (e *NotFound) Error() string {
	return fmt.Sprintf("expect %s: %v; last seen: %q", e.Expected, e.Cause, e.Seen)
}

// Unwrap returns the cause.
func (e *NotFound) Unwrap() error { return e.Cause }

// Find waits until one of the alternatives is in the text from offset from on. If
// several are, the one that begins first wins, and of those the first in the list; but
// one that has come completely is not held back for one that has come in part.
//
// Dead is closed when the program has ended and its output has been read (see CatchUp).
// Without it, which nil means, Find knows the end of the output only, and a process that
// keeps the output open delays that. The error is a *NotFound; it is ErrEnded if the
// output or the program has ended and nothing was found, and otherwise the error of ctx.
func (r *Recording) Find(ctx context.Context, alternatives []Alternative, from int, dead <-chan struct{}) (Match, error) {
	search := newSearch(alternatives, from)
	for {
		// Both are asked before the look: all output is in the recording by then.
		over, late := isClosed(dead), ctx.Err() != nil
		text, changed, end := r.now()
		began := time.Now()
		match, found := search.in(text)
		switch {
		case found:
			return match, nil
		case end != nil:
			return Match{}, r.notFound(alternatives, from, fmt.Errorf("%w (%w)", ErrEnded, end))
		case over:
			return Match{}, r.notFound(alternatives, from, ErrEnded)
		case late:
			return Match{}, r.notFound(alternatives, from, context.Cause(ctx))
		}
		rest(ctx, dead, time.Since(began))
		select {
		case <-changed:
		case <-dead:
		case <-ctx.Done():
		}
	}
}

// rest waits as long as the last search took, unless the search is to end. Output that comes
// in many pieces is then searched less often, the longer that takes: half of the time goes
// into searches at most, and the reader adds what comes to the recording.
func rest(ctx context.Context, dead <-chan struct{}, took time.Duration) {
	pause := time.NewTimer(took)
	defer pause.Stop()
	select {
	case <-pause.C:
	case <-dead:
	case <-ctx.Done():
	}
}

// now returns the text that is there, a channel that is closed when more comes, and why the
// output has ended. What is there does not change any more: more text is behind it.
func (r *Recording) now() (text []byte, changed <-chan struct{}, end error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clip(r.text), r.changed, r.end
}

func (r *Recording) notFound(alternatives []Alternative, from int, cause error) error {
	names := make([]string, len(alternatives))
	for i, a := range alternatives {
		names[i] = a.String()
	}
	return &NotFound{Expected: strings.Join(names, " or "), Seen: r.Last(from), Cause: cause}
}

// Had returns the first of the alternatives that is in the text before an offset.
func (r *Recording) Had(alternatives []Alternative, before int) (had Alternative, found bool) {
	text, _, _ := r.now()
	match, found := newSearch(alternatives, 0).in(text[:before])
	if !found {
		return Alternative{}, false
	}
	return alternatives[match.Index], true
}

// Last returns the end of the text since offset from, 600 bytes at most.
func (r *Recording) Last(from int) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	const enough = 600
	tail := r.text[max(from, len(r.text)-enough):]
	for i := 0; len(tail) == enough && i < utf8.UTFMax && !utf8.RuneStart(tail[0]); i++ {
		tail = tail[1:] // the rest of a character that was cut
	}
	return string(tail)
}

// A search looks for alternatives in a text that grows.
type search struct {
	alternatives []Alternative
	from         int
	next         []int // for each literal, the first offset at which it may still begin
}

func newSearch(alternatives []Alternative, from int) *search {
	s := &search{alternatives: alternatives, from: from, next: make([]int, len(alternatives))}
	for i := range s.next {
		s.next[i] = from
	}
	return s
}

// in returns the first match in text. A literal goes on where its last search ended. A
// pattern begins again at from each time, because a match may begin anywhere: Find bounds
// how often.
func (s *search) in(text []byte) (Match, bool) {
	var best []int
	index := 0
	for i := range s.alternatives {
		if at := s.at(i, text); at != nil && (best == nil || at[0] < best[0]) {
			best, index = at, i
		}
	}
	if best == nil {
		return Match{}, false
	}
	match := Match{Index: index, Text: string(text[best[0]:best[1]]), Before: string(text[s.from:best[0]]), End: best[1]}
	for i := 2; i < len(best); i += 2 {
		group := ""
		if best[i] >= s.from {
			group = string(text[best[i]:best[i+1]])
		}
		match.Groups = append(match.Groups, group)
	}
	return match, true
}

// at returns the indices of the first match of alternative i and of its groups, or nil.
func (s *search) at(i int, text []byte) []int {
	a := s.alternatives[i]
	if a.pattern != nil {
		return shift(a.pattern.FindSubmatchIndex(text[s.from:]), s.from)
	}
	at := bytes.Index(text[s.next[i]:], []byte(a.literal))
	if at < 0 {
		s.next[i] = max(s.next[i], len(text)-len(a.literal)+1)
		return nil
	}
	return []int{s.next[i] + at, s.next[i] + at + len(a.literal)}
}

// shift adds by to all indices but those of groups that take no part, which are -1.
func shift(indices []int, by int) []int {
	for i := range indices {
		if indices[i] >= 0 {
			indices[i] += by
		}
	}
	return indices
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
