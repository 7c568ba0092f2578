package screen

import "github.com/clipperhouse/displaywidth"

// longest is the most bytes of a character with all that combines with it.
const longest = 64

// ascii has the text of each ASCII character, so that none is made for each cell.
var ascii = func() (all [128]string) {
	for i := range all {
		all[i] = string(rune(i))
	}
	return all
}()

// drawing has the line-drawing characters from '_' to '~'.
var drawing = []rune(" ◆▒␉␌␍␊°±␤␋┘┐┌└┼⎺⎻─⎼⎽├┤┴┬│≤≥π≠£·")

// print shows a character or joins it to the one before.
func (s *Screen) print(r rune) {
	if r < 0x80 {
		if r >= '_' && s.cursor.drawing[s.cursor.set] {
			r = drawing[r-'_']
			s.put(string(r), 1)
		} else {
			s.put(ascii[r], 1)
		}
		s.joins = true
		return
	}
	width := displaywidth.Rune(r)
	if (s.joins || width == 0) && s.join(r) {
		return
	}
	if width > 0 {
		s.put(string(r), width)
		s.joins = true
	}
}

// join adds r to the character before the cursor if the two are one for the user: a
// combining mark, a modifier, the second half of a flag.
func (s *Screen) join(r rune) bool {
	line, column := s.grid[s.cursor.row], s.cursor.column
	if !s.cursor.wraps {
		column--
	}
	if column > 0 && line[column].half {
		column--
	}
	if column < 0 {
		return false
	}
	text := line[column].text
	if text == "" {
		text = " "
	}
	text += string(r)
	whole := displaywidth.StringGraphemes(text)
	if !whole.Next() || len(whole.Value()) != len(text) {
		return false
	}
	if len(text) > longest {
		return true
	}
	line[column].text, s.last = text, text
	if wide := column+1 < s.columns && line[column+1].half; whole.Width() > 1 && !wide {
		s.widen(column)
	}
	return true
}

// widen makes the character before the cursor wide, if the row has room.
func (s *Screen) widen(column int) {
	if s.cursor.wraps || column+1 >= s.columns {
		return
	}
	s.grid.clear(s.cursor.row, column+1, column+2, s.blank())
	line := s.grid[s.cursor.row]
	line[column+1] = cell{half: true, style: line[column].style}
	s.advance(1)
}

// put shows a character at the cursor, on the next row if this one is full.
func (s *Screen) put(text string, width int) {
	width = clamp(width, 1, min(2, s.columns))
	c := &s.cursor
	if c.wraps || c.column+width > s.columns {
		if s.modes.nowrap {
			c.column = s.columns - width
		} else {
			c.column = 0
			s.index()
		}
	}
	if s.modes.insert {
		s.grid.insert(c.row, c.column, width, s.blank())
	}
	line := s.grid[c.row]
	s.grid.part(c.row, c.column)
	s.grid.part(c.row, c.column+width)
	line[c.column] = cell{text: text, style: c.style}
	if width == 2 {
		line[c.column+1] = cell{half: true, style: c.style}
	}
	s.last = text
	s.advance(width)
}

// advance moves the cursor behind a character. At the end of a row it stays, and the
// next character wraps.
func (s *Screen) advance(width int) {
	c := &s.cursor
	c.column += width
	c.wraps = c.column >= s.columns && !s.modes.nowrap
	c.column = min(c.column, s.columns-1)
}

// index moves the cursor down a row; at the end of the scrolling region it scrolls.
func (s *Screen) index() {
	c := &s.cursor
	c.wraps = false
	switch {
	case c.row == s.bottom-1:
		s.grid.scroll(s.top, s.bottom, 1, s.blank())
	case c.row < s.rows-1:
		c.row++
	}
}

// reverseIndex moves the cursor up a row; at the top of the scrolling region it
// scrolls.
func (s *Screen) reverseIndex() {
	c := &s.cursor
	c.wraps = false
	switch {
	case c.row == s.top:
		s.grid.scroll(s.top, s.bottom, -1, s.blank())
	case c.row > 0:
		c.row--
	}
}

// blank returns what erasing leaves: a cell with the background of the cursor.
func (s *Screen) blank() cell { return cell{style: style{bg: s.cursor.style.bg}} }
