package screen

import "github.com/clipperhouse/displaywidth"

// move moves the cursor by rows and columns. It does not leave the screen, nor the
// scrolling region if it is in it.
func (s *Screen) move(rows, columns int) {
	c := &s.cursor
	least, most := 0, s.rows-1
	if c.row >= s.top {
		least = s.top
	}
	if c.row < s.bottom {
		most = s.bottom - 1
	}
	if rows != 0 {
		c.row = clamp(c.row+rows, min(least, c.row), max(most, c.row))
	}
	c.column = clamp(c.column+columns, 0, s.columns-1)
	c.wraps = false
}

// goTo moves the cursor to a row and a column, counted from 0.
func (s *Screen) goTo(row, column int) {
	c := &s.cursor
	least, most := 0, s.rows-1
	if c.origin {
		least, most = s.top, s.bottom-1
	}
	c.row = clamp(row+least, least, most)
	c.column = clamp(column, 0, s.columns-1)
	c.wraps = false
}

// tab moves the cursor to the nth tab stop, before it if n is negative.
func (s *Screen) tab(n int) {
	c := &s.cursor
	step := 1
	if n < 0 {
		step, n = -1, -n
	}
	for ; n > 0 && c.column+step >= 0 && c.column+step < s.columns; n-- {
		for c.column += step; c.column > 0 && c.column < s.columns-1 && !s.tabs[c.column]; {
			c.column += step
		}
	}
	c.wraps = false
}

// repeat shows the last character n times more.
func (s *Screen) repeat(n int) {
	if s.last == "" {
		return
	}
	width := displaywidth.String(s.last)
	for range min(n, s.rows*s.columns) {
		s.put(s.last, width)
	}
}

// eraseScreen erases from the cursor to the end (0), from the beginning to the cursor
// (1), or all (2). What has been scrolled off (3) is not kept anyway.
func (s *Screen) eraseScreen(how int) {
	first, last := 0, s.rows
	switch how {
	case 0:
		s.eraseRow(0)
		first = s.cursor.row + 1
	case 1:
		s.eraseRow(1)
		last = s.cursor.row
	case 2:
	default:
		return
	}
	for row := first; row < last; row++ {
		fill(s.grid[row], s.blank())
	}
	s.cursor.wraps = false
}

// eraseRow erases the cursor's row as eraseScreen erases the screen.
func (s *Screen) eraseRow(how int) {
	from, to := 0, s.columns
	switch how {
	case 0:
		from = s.cursor.column
	case 1:
		to = s.cursor.column + 1
	case 2:
	default:
		return
	}
	s.grid.clear(s.cursor.row, from, to, s.blank())
	s.cursor.wraps = false
}

// save keeps the cursor for restore. Each of the two screens has its own.
func (s *Screen) save() { s.saved[s.shown()] = s.cursor }

func (s *Screen) restore() { s.cursor = s.saved[s.shown()] }

func (s *Screen) shown() int {
	if s.modes.alternate {
		return 1
	}
	return 0
}

// setMode sets or resets a private mode. Most do not change what is shown.
func (s *Screen) setMode(mode int, on bool) {
	switch mode {
	case 6:
		s.cursor.origin = on
		s.goTo(0, 0)
	case 7:
		s.modes.nowrap = !on
		s.cursor.wraps = s.cursor.wraps && on
	case 25:
		s.modes.invisible = !on
	case 47, 1047:
		s.alternate(on)
	case 1048:
		if on {
			s.save()
		} else {
			s.restore()
		}
	case 1049:
		if on == s.modes.alternate {
			return
		}
		if on {
			s.save()
		}
		s.alternate(on)
		if !on {
			s.restore()
		}
	}
}

// alternate shows the alternate screen, which is empty, or the main one, which is as it
// was.
func (s *Screen) alternate(on bool) {
	if on == s.modes.alternate {
		return
	}
	s.modes.alternate = on
	s.grid, s.hidden = s.hidden, s.grid
	if on {
		s.grid = newGrid(s.rows, s.columns)
	}
	s.cursor.wraps = false
}

// modeState returns what a terminal reports of a private mode: 0 unknown, 1 set, 2
// reset.
func (s *Screen) modeState(mode int) int {
	var on bool
	switch mode {
	case 6:
		on = s.cursor.origin
	case 7:
		on = !s.modes.nowrap
	case 25:
		on = !s.modes.invisible
	case 47, 1047, 1049:
		on = s.modes.alternate
	default:
		return 0
	}
	if on {
		return 1
	}
	return 2
}

// softReset resets modes, margins and style, and leaves what is shown.
func (s *Screen) softReset() {
	s.modes = modes{alternate: s.modes.alternate}
	s.top, s.bottom = 0, s.rows
	s.saved[s.shown()] = cursor{}
	s.cursor = cursor{row: s.cursor.row, column: s.cursor.column}
}
