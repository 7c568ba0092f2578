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

// Has reports whether a row has text of which each cell has the attributes and the colours
// that SGR parameters set, as in "1;31". It may have more.
func (s *Screen) Has(text, sgr string) bool {
	wanted := style{}.apply(parseParams([]byte(sgr)))
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, line := range s.grid {
		for first := range line {
			if begins(line[first:], text, wanted) {
				return true
			}
		}
	}
	return false
}

// StyleOf returns the SGR parameters of the style in which the first row that has text shows
// its first character, "" for plain text.
func (s *Screen) StyleOf(text string) (sgr string, found bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, line := range s.grid {
		for first := range line {
			if begins(line[first:], text, style{}) {
				sgr = strings.TrimSuffix(strings.TrimPrefix(line[first].style.sgr(), "\x1b["), "m")
				return strings.TrimPrefix(sgr, "0;"), true
			}
		}
	}
	return "", false
}

// begins reports whether text, in a style, begins in the first cell.
func begins(line []cell, text string, wanted style) bool {
	if line[0].half {
		return false
	}
	for _, c := range line {
		if text == "" {
			break
		}
		var shown strings.Builder
		c.write(&shown)
		rest, ok := strings.CutPrefix(text, shown.String())
		if !ok || !c.style.includes(wanted) {
			return false
		}
		text = rest
	}
	return text == ""
}

// includes reports whether a style has all that another one sets.
func (s style) includes(other style) bool {
	return s.attributes&other.attributes == other.attributes &&
		(other.fg == color{} || s.fg == other.fg) && (other.bg == color{} || s.bg == other.bg)
}
