package main

import (
	"fmt"
	"strings"

	"github.com/gemini-monitor/gemini/monitor"
)

// A table is runtimes with their processes.
type table struct {
	runtimes []monitor.Status
	members  [][]shownMember // of each
}

// A frame is what is shown of a table.
type frame struct {
	rows, columns int
	from          int  // the first line below the heading
	bare          bool // without processes
	plain         bool // without bold and reverse letters
	note          string
}

// inset is before the processes of a runtime.
const inset = "  "

// lines returns the heading and all lines of a table. Those of runtimes are marked.
func (f *frame) lines(t table, v view) (heading string, lines []string, runtime []bool) {
	var list strings.Builder
	v.width = f.columns
	_ = printList(&list, t.runtimes, v) // it cannot fail
	rows := strings.Split(strings.TrimSuffix(list.String(), "\n"), "\n")
	for i, row := range rows[1:] {
		lines, runtime = append(lines, row), append(runtime, true)
		if f.bare {
			continue
		}
		var tree strings.Builder
		within := v
		within.width = max(1, f.columns-len(inset))
		_ = printTree(&tree, t.members[i], within)
		for line := range strings.Lines(tree.String()) {
			lines = append(lines, shorten(inset+strings.TrimSuffix(line, "\n"), f.columns))
			runtime = append(runtime, false)
		}
	}
	return rows[0], lines, runtime
}

// draw returns the text that shows a table: a heading, the lines from f.from on as far as there
// is room, and a foot. It moves f.from where the table has got shorter.
func (f *frame) draw(t table, v view) string {
	heading, lines, runtime := f.lines(t, v)
	room := f.room()
	f.from = max(0, min(f.from, len(lines)-room))
	until := min(len(lines), f.from+room)
	shown := []string{f.letters(reverse, pad(heading, f.columns))}
	for i, line := range lines[f.from:until] {
		if runtime[f.from+i] {
			line = f.letters(bold, line)
		}
		shown = append(shown, line)
	}
	for len(shown) < room+1 {
		shown = append(shown, "")
	}
	if f.rows > 2 {
		shown = append(shown, shorten(f.foot(len(lines), until), f.columns))
	}
	return home + strings.Join(shown, clearLine+"\r\n") + clearLine + clearBelow
}

// room returns how many lines there are between heading and foot.
func (f *frame) room() int { return max(1, f.rows-2) }

// foot returns the last line.
func (f *frame) foot(lines, until int) string {
	if f.note != "" {
		return f.note
	}
	what := "hide processes"
	if f.bare {
		what = "show processes"
	}
	text := "q quit, t " + what
	if lines > f.room() {
		text += fmt.Sprintf(", arrows scroll: %d-%d of %d", f.from+1, until, lines)
	}
	return text
}

// What terminals take (ECMA-48).
const (
	home       = "\x1b[H"
	clearLine  = "\x1b[K"
	clearBelow = "\x1b[J"
	reverse    = "\x1b[7m"
	bold       = "\x1b[1m"
	normal     = "\x1b[m"
)

// letters returns a text in bold or reverse letters, which are the same on a dark and on a light
// terminal.
func (f *frame) letters(how, text string) string {
	if f.plain {
		return text
	}
	return how + text + normal
}

// pad adds blanks up to a number of columns.
func pad(text string, width int) string {
	return text + strings.Repeat(" ", max(0, width-columns(text)))
}

// press changes the frame by a key. It reports whether the key ends the command.
func (f *frame) press(k string) (quit bool) {
	page := max(1, f.room()-1)
	switch k {
	case "q", "Q":
		return true
	case "t":
		f.bare, f.from = !f.bare, 0
	case "k", "\x1b[A", "\x1bOA":
		f.from--
	case "j", "\x1b[B", "\x1bOB", "\r", "\n":
		f.from++
	case "b", "\x1b[5~":
		f.from -= page
	case "f", " ", "\x1b[6~":
		f.from += page
	case "g", "\x1b[H", "\x1bOH", "\x1b[1~":
		f.from = 0
	case "G", "\x1b[F", "\x1bOF", "\x1b[4~":
		f.from = 1 << 30
	}
	f.from = max(0, f.from)
	return false
}

// keysOf splits what was typed into keys. The rest is the beginning of one.
func keysOf(text string) (keys []string, rest string) {
	for text != "" {
		n := 1
		if text[0] == '\x1b' {
			if n = escapeLength(text); n == 0 {
				return keys, text
			}
		}
		keys, text = append(keys, text[:n]), text[n:]
	}
	return keys, ""
}

// escapeLength returns how long the control sequence at the beginning of a text is, 0 where it
// is not at its end.
func escapeLength(text string) int {
	switch {
	case len(text) < 2:
		return 0
	case text[1] == 'O' && len(text) < 3:
		return 0
	case text[1] == 'O':
		return 3
	case text[1] != '[':
		return 1
	}
	for i := 2; i < len(text); i++ {
		if text[i] >= '@' && text[i] <= '~' {
			return i + 1
		}
	}
	return 0
}
