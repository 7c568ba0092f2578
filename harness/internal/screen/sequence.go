package screen

import "fmt"

// An action calls the screen for its parser. Its caller holds mu.
type action struct{ *Screen }

// control obeys a control character.
func (a action) control(c byte) {
	a.joins = false
	switch c {
	case '\b':
		a.move(0, -1)
	case '\t':
		a.tab(1)
	case '\n', '\v', '\f':
		a.index()
		if a.modes.newline {
			a.cursor.column = 0
		}
	case '\r':
		a.cursor.column, a.cursor.wraps = 0, false
	case 0x0e, 0x0f: // SO and SI
		a.cursor.set = int(0x0f - c)
	}
}

// escape obeys a sequence of ESC, marks and a final byte.
func (a action) escape(marks string, final byte) {
	a.joins = false
	switch marks + string(final) {
	case "7":
		a.save()
	case "8":
		a.restore()
	case "D":
		a.index()
	case "E":
		a.index()
		a.cursor.column = 0
	case "H":
		a.tabs[a.cursor.column] = true
	case "M":
		a.reverseIndex()
	case "c":
		a.reset()
	case "#8": // a pattern to adjust a screen of glass
		for _, line := range a.grid {
			fill(line, cell{text: "E"})
		}
	}
	if marks == "(" || marks == ")" {
		a.cursor.drawing[marks[0]-'('] = final == '0'
	}
}

// command answers the queries for the colours of text and background. A program asks to
// know whether the background is dark.
func (a action) command(text, end string) {
	a.joins = false
	switch text {
	case "10;?":
		a.reply("\x1b]10;rgb:ffff/ffff/ffff" + end)
	case "11;?":
		a.reply("\x1b]11;rgb:0000/0000/0000" + end)
	}
}

// sequence obeys a control sequence.
func (a action) sequence(marks string, p params, final byte) {
	if marks == "" && final == 'b' {
		a.repeat(p.count(0))
		return
	}
	a.joins = false
	switch marks {
	case "":
		_ = a.moves(p, final) || a.edits(p, final) || a.sets(p, final)
	case "?":
		a.private(p, final)
	}
	a.queries(marks, p, final)
}

// moves obeys a sequence that moves the cursor.
func (a action) moves(p params, final byte) bool {
	switch n := p.count(0); final {
	case 'A':
		a.move(-n, 0)
	case 'B', 'e':
		a.move(n, 0)
	case 'C', 'a':
		a.move(0, n)
	case 'D':
		a.move(0, -n)
	case 'E':
		a.move(n, -a.columns)
	case 'F':
		a.move(-n, -a.columns)
	case 'G', '`':
		a.move(0, n-1-a.cursor.column)
	case 'H', 'f':
		a.goTo(n-1, p.count(1)-1)
	case 'I':
		a.tab(n)
	case 'Z':
		a.tab(-n)
	case 'd':
		a.goTo(n-1, a.cursor.column)
	case 's':
		a.save()
	case 'u':
		a.restore()
	default:
		return false
	}
	return true
}

// edits obeys a sequence that changes cells.
func (a action) edits(p params, final byte) bool {
	c, n, blank := &a.cursor, p.count(0), a.blank()
	switch final {
	case '@':
		a.grid.insert(c.row, c.column, n, blank)
	case 'P':
		a.grid.insert(c.row, c.column, -n, blank)
	case 'X':
		a.grid.clear(c.row, c.column, min(c.column+n, a.columns), blank)
	case 'J':
		a.eraseScreen(p.get(0, 0))
	case 'K':
		a.eraseRow(p.get(0, 0))
	case 'L', 'M':
		if c.row < a.top || c.row >= a.bottom {
			break
		}
		if final == 'L' {
			n = -n
		}
		a.grid.scroll(c.row, a.bottom, n, blank)
		c.column = 0
	case 'S':
		a.grid.scroll(a.top, a.bottom, n, blank)
	case 'T':
		a.grid.scroll(a.top, a.bottom, -n, blank)
	default:
		return false
	}
	c.wraps = false
	return true
}

// sets obeys a sequence that changes how the next ones are obeyed.
func (a action) sets(p params, final byte) bool {
	switch final {
	case 'm':
		a.cursor.style = a.cursor.style.apply(p)
	case 'r':
		top, bottom := p.count(0)-1, min(p.get(1, a.rows), a.rows)
		if p.get(1, 0) == 0 {
			bottom = a.rows
		}
		if top < bottom-1 {
			a.top, a.bottom = top, bottom
			a.goTo(0, 0)
		}
	case 'g':
		switch p.get(0, 0) {
		case 0:
			a.tabs[a.cursor.column] = false
		case 3:
			clear(a.tabs)
		}
	case 'h', 'l':
		for i := range p.len() {
			switch p.get(i, 0) {
			case 4:
				a.modes.insert = final == 'h'
			case 20:
				a.modes.newline = final == 'h'
			}
		}
	default:
		return false
	}
	return true
}

// private obeys the sequences of DEC that begin with a question mark.
func (a action) private(p params, final byte) {
	switch final {
	case 'h', 'l':
		for i := range p.len() {
			a.setMode(p.get(i, 0), final == 'h')
		}
	case 'J':
		a.eraseScreen(p.get(0, 0))
	case 'K':
		a.eraseRow(p.get(0, 0))
	}
}

// queries answers as a VT220 with colours.
func (a action) queries(marks string, p params, final byte) {
	row, column := a.cursor.row+1, a.cursor.column+1
	if a.cursor.origin {
		row -= a.top
	}
	n := p.get(0, 0)
	switch marks + string(final) {
	case "c":
		if n == 0 {
			a.reply("\x1b[?62;22c")
		}
	case ">c":
		a.reply("\x1b[>1;10;0c")
	case ">q":
		a.reply("\x1bP>|harness\x1b\\")
	case "n":
		switch n {
		case 5:
			a.reply("\x1b[0n")
		case 6:
			a.reply(fmt.Sprintf("\x1b[%d;%dR", row, column))
		}
	case "?n":
		if n == 6 {
			a.reply(fmt.Sprintf("\x1b[?%d;%dR", row, column))
		}
	case "t":
		if n == 18 {
			a.reply(fmt.Sprintf("\x1b[8;%d;%dt", a.rows, a.columns))
		}
	case "?$p":
		a.reply(fmt.Sprintf("\x1b[?%d;%d$y", n, a.modeState(n)))
	case "!p":
		a.softReset()
	}
}
