//go:build darwin || linux

package harness

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"strconv"
	"strings"

	"github.com/gemini-monitor/gemini/harness/internal/screen"
)

// A StyledText is an alternative of ExpectScreen: text in a style. Make it with Styled.
type StyledText struct{ text, codes string }

// Styled is text of one line in a style, for ExpectScreen and ExpectGone. The style is the
// parameters of the sequence that sets it (SGR), as in "7" for reverse or "1;31" for bold and
// red. Each character of the text, blanks too, has these attributes and colours, and may
// have more.
func Styled(codes, text string) StyledText { return StyledText{text, codes} }

// ExpectScreen waits until one of the alternatives is seen on the screen. Each is a string, a
// [Pattern] or what [Styled] returns. A string of several lines is found where the lines
// begin in the same column. A Pattern is matched with the text of Screen.
//
// The screen is looked at after each piece of output: what is seen for a moment only may be
// missed. Expect misses nothing, and goes on where it was: ExpectScreen does not move it.
func (t *Terminal) ExpectScreen(alternatives ...any) {
	t.stage.t.Helper()
	wanted, err := onScreenOf(alternatives)
	if err != nil {
		t.stage.t.Fatalf("%s", t.failure(err))
	}
	t.awaitScreen(wanted, true, wanted.String()+" on the screen")
}

// ExpectGone waits until none of the alternatives is seen on the screen. They are those of
// ExpectScreen. It does not wait for them to come before.
func (t *Terminal) ExpectGone(alternatives ...any) {
	t.stage.t.Helper()
	unwanted, err := onScreenOf(alternatives)
	if err != nil {
		t.stage.t.Fatalf("%s", t.failure(err))
	}
	t.awaitScreen(unwanted, false, "that the screen has no "+unwanted.String())
}

// Cursor returns the row and the column of the cursor, counted from 1.
func (t *Terminal) Cursor() (row, column int) {
	t.terminal.CatchUp()
	return t.screen.Cursor()
}

// ExpectCursor waits until the cursor is in this row and column, counted from 1.
func (t *Terminal) ExpectCursor(row, column int) {
	t.stage.t.Helper()
	at := view{cursor: true, text: fmt.Sprintf("the cursor in row %d, column %d", row, column)}
	at.in = func(s *screen.Screen, _ string) bool {
		r, c := s.Cursor()
		return r == row && c == column
	}
	t.awaitScreen(views{at}, true, at.text)
}

// hint returns a part of a message about alternatives that Expect has not found in the
// bytes since its last match: that the screen has one of them, if so.
func (t *Terminal) hint(alternatives []any) string {
	v, err := onScreenOf(alternatives)
	if err != nil {
		return ""
	}
	t.terminal.CatchUp()
	if found, _, _ := t.sees(v); found != nil {
		return "; the screen has " + found.text + ": see ExpectScreen"
	}
	return ""
}

// awaitScreen waits until one of the views is on the screen, or until none is.
func (t *Terminal) awaitScreen(v views, there bool, what string) {
	t.stage.t.Helper()
	ctx, cancel := t.stage.bound(t.limit)
	defer cancel()
	ended := t.writers.over(t.tree)
	for {
		over := closed(ended)
		found, seen, drawn := t.sees(v)
		switch {
		case (found != nil) == there:
			if there {
				what = found.text
			}
			t.track.record(Event{PID: t.PID(), What: "seen: " + strings.TrimPrefix(what, "that ")})
			return
		case over:
			t.stage.t.Fatalf("%s", t.failure(fmt.Errorf("expect %s: %w%s; the screen has:\n%s", what, t.writers.end(t.tree), t.near(v, there), t.pictured(seen, v))))
		}
		select {
		case <-drawn:
		case <-ended:
		case <-ctx.Done():
			t.stage.t.Fatalf("%s: expect %s: %v%s; the screen has:\n%s", t.name, what, context.Cause(ctx), t.near(v, there), t.pictured(seen, v))
		}
	}
}

// sees returns the first of the views that is on the screen, or nil, the text of the screen,
// and a channel that is closed when the screen changes.
func (p *screenParts) sees(v views) (found *view, seen string, drawn <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	seen = p.screen.Text()
	for i := range v {
		if v[i].in(p.screen, seen) {
			return &v[i], seen, p.drawn
		}
	}
	return nil, seen, p.drawn
}

// near returns what the screen has instead of the views as a part of a message, "" if
// nothing is like them or if they are not to be there.
func (t *Terminal) near(v views, there bool) string {
	text := ""
	for i := range v {
		if there && v[i].near != nil {
			text += v[i].near(t.screen)
		}
	}
	return text
}

// pictured returns the screen for a message, with the cursor if a view is about it.
func (t *Terminal) pictured(seen string, v views) string {
	text := framed(seen)
	if v[0].cursor {
		row, column := t.screen.Cursor()
		text += fmt.Sprintf("\n  the cursor is in row %d, column %d", row, column)
	}
	return text
}

// A view is what may be on a screen.
type view struct {
	text   string // for messages
	in     func(s *screen.Screen, seen string) bool
	near   func(s *screen.Screen) string // what is there instead, "" if nothing is like it; may be nil
	cursor bool                          // it is about the cursor
}

// views are shown as "a" or /b/.
type views []view

func (v views) String() string {
	texts := make([]string, len(v))
	for i := range v {
		texts[i] = v[i].text
	}
	return strings.Join(texts, " or ")
}

// onScreenOf returns the alternatives as views.
func onScreenOf(alternatives []any) (wanted views, err error) {
	if len(alternatives) == 0 {
		_, err := compile(nil)
		return nil, err
	}
	for _, a := range alternatives {
		v, err := viewOf(a)
		if err != nil {
			return nil, err
		}
		wanted = append(wanted, v)
	}
	return wanted, nil
}

// viewOf returns an alternative as a view.
func viewOf(alternative any) (view, error) {
	if s, ok := alternative.(StyledText); ok {
		if s.text == "" || strings.Contains(s.text, "\n") || !codes.MatchString(s.codes) {
			return view{}, fmt.Errorf("expect: Styled(%q, %q) is not a style like \"1;31\" and text of one line", s.codes, s.text)
		}
		text := fmt.Sprintf("%q in the style %q", brief(s.text, 200), s.codes)
		return view{text: text, near: s.near, in: func(on *screen.Screen, _ string) bool { return on.Has(s.text, s.codes) }}, nil
	}
	if _, err := compile([]any{alternative}); err != nil {
		return view{}, err
	}
	if p, ok := alternative.(Pattern); ok {
		pattern := regexp.MustCompile(string(p))
		return view{text: "/" + string(p) + "/", in: func(_ *screen.Screen, seen string) bool { return pattern.MatchString(seen) }}, nil
	}
	text := alternative.(string)
	return view{
		text: strconv.Quote(brief(text, 200)),
		in:   func(_ *screen.Screen, seen string) bool { return onScreen(seen, text) },
		near: func(s *screen.Screen) string { return apart(s.Text(), text) },
	}, nil
}

var codes = regexp.MustCompile(`^[\d;:]+$`)

// onScreen reports whether the lines of text are below each other in what is seen.
func onScreen(seen, text string) bool {
	rows, wanted := strings.Split(seen, "\n"), strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	for first := 0; first+len(wanted) <= len(rows); first++ {
		if block(rows[first:], wanted) {
			return true
		}
	}
	return false
}

// apart says in which columns the lines of text are below each other, "" if they are not.
func apart(seen, text string) string {
	rows, wanted := strings.Split(seen, "\n"), strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	for first := 0; first+len(wanted) <= len(rows); first++ {
		var columns []string
		for i, line := range wanted {
			if in := columnsOf(rows[first+i], line); len(in) > 0 {
				columns = append(columns, strconv.Itoa(sortedKeys(in)[0]+1))
			}
		}
		if len(columns) == len(wanted) {
			return "; the lines are there, in columns " + listed(columns)
		}
	}
	return ""
}

// listed returns words with commas and an "and".
func listed(words []string) string {
	last := len(words) - 1
	if last < 1 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:last], ", ") + " and " + words[last]
}

// near says in which style the text is on the screen, "" if it is not.
func (s StyledText) near(on *screen.Screen) string {
	style, found := on.StyleOf(s.text)
	switch {
	case !found:
		return ""
	case style == "":
		return fmt.Sprintf("; %q is there without a style", brief(s.text, 200))
	}
	return fmt.Sprintf("; %q is there in the style %q", brief(s.text, 200), style)
}

// block reports whether each wanted line is in its row, all from one column on.
func block(rows, wanted []string) bool {
	common := columnsOf(rows[0], wanted[0])
	for i, line := range wanted[1:] {
		also := columnsOf(rows[i+1], line)
		maps.DeleteFunc(common, func(column int, _ bool) bool { return !also[column] })
	}
	return len(common) > 0
}

// columnsOf returns the columns in which a line begins in a row.
func columnsOf(row, line string) map[int]bool {
	columns := map[int]bool{}
	for at := 0; at <= len(row); at++ {
		if strings.HasPrefix(row[at:], line) {
			columns[screen.Columns(row[:at])] = true
		}
	}
	return columns
}

// framed returns the screen with a mark before each line, for a message.
func framed(seen string) string { return "  | " + strings.ReplaceAll(seen, "\n", "\n  | ") }
