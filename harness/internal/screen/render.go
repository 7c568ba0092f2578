package screen

import (
	"strings"

	"github.com/clipperhouse/displaywidth"
)

// Columns returns how many columns of a screen a text takes.
func Columns(text string) int { return displaywidth.String(text) }

// Text returns the rows, parted by "\n", without blanks at the ends of rows and without
// empty rows at the end.
func (s *Screen) Text() string { return s.render(plainRow) }

// ANSI returns the rows as Text does, but with the sequences for their colours and
// styles. Each row begins and ends in the default style.
func (s *Screen) ANSI() string { return s.render(styledRow) }

func (s *Screen) render(row func([]cell) string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	rows := make([]string, len(s.grid))
	count := 0
	for i, line := range s.grid {
		if rows[i] = row(line); rows[i] != "" {
			count = i + 1
		}
	}
	return strings.Join(rows[:count], "\n")
}

func plainRow(line []cell) string {
	var row strings.Builder
	for _, c := range line {
		c.write(&row)
	}
	return strings.TrimRight(row.String(), " ")
}

// write writes the text of a cell, a space if it is blank.
func (c cell) write(row *strings.Builder) {
	switch {
	case c.half:
	case c.text == "":
		row.WriteByte(' ')
	default:
		row.WriteString(c.text)
	}
}

func styledRow(line []cell) string {
	end := len(line)
	for end > 0 && line[end-1].plain() {
		end--
	}
	var row strings.Builder
	var now style
	for _, c := range line[:end] {
		if c.style != now {
			now = c.style
			row.WriteString(now.sgr())
		}
		c.write(&row)
	}
	if now != (style{}) {
		row.WriteString(style{}.sgr())
	}
	return row.String()
}

// plain reports whether nothing is seen of a cell: a blank without a background.
func (c cell) plain() bool {
	return !c.half && (c.text == "" || c.text == " ") && c.style.bg == color{} && c.style.attributes&(reverse|underline|strike) == 0
}
