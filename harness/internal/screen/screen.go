// Package screen shows what a user sees: it takes the bytes that a program writes at a
// terminal and keeps the characters, their colours and the cursor, as xterm does.
package screen

import "sync"

// A Screen is what a terminal shows. Any goroutine may use it. It has no goroutine and
// needs no close.
//
// It knows the sequences of a VT220 and of xterm that programs use: cursor moves,
// erasing, insertion and deletion, scrolling regions, the alternate screen, tab stops,
// line drawing, wide and combining characters, and styles with 16, 256 and all colours.
// Left and right margins, characters of double size and pictures are left out.
type Screen struct {
	mu      sync.Mutex
	parser  parser
	rows    int
	columns int
	grid    grid // that is shown
	hidden  grid // the other one; nil until the alternate screen is used
	cursor  cursor
	saved   [2]cursor // of the main and of the alternate screen
	top     int       // the first row that scrolls
	bottom  int       // the row behind the last that scrolls
	tabs    []bool
	modes   modes
	joins   bool   // the last thing was a character, which the next may extend
	last    string // the last character, for its repetition
	replies []byte
}

// A cursor is where and how the next character is shown.
type cursor struct {
	row, column int
	wraps       bool // the row is full: the next character goes to the next row
	style       style
	drawing     [2]bool // the character sets that are for line drawing
	set         int     // the one in use
	origin      bool    // rows are counted from the top of the scrolling region
}

// modes are the modes that change what is shown.
type modes struct {
	alternate, nowrap, insert, newline, invisible bool
}

// largest is the largest number of rows, and of columns.
const largest = 1000

// New returns an empty screen. A size below 1 is 1, and one above 1000 is 1000.
func New(rows, columns int) *Screen {
	s := &Screen{rows: clamp(rows, 1, largest), columns: clamp(columns, 1, largest)}
	s.parser.output = action{s}
	s.reset()
	return s
}

// reset makes the screen as New returns it.
func (s *Screen) reset() {
	s.grid, s.hidden = newGrid(s.rows, s.columns), nil
	s.cursor, s.saved, s.modes = cursor{}, [2]cursor{}, modes{}
	s.top, s.bottom = 0, s.rows
	s.tabs = make([]bool, largest)
	for i := range s.tabs {
		s.tabs[i] = i%8 == 0
	}
}

// Write shows output. A character or a sequence may come in several pieces. It never
// fails.
func (s *Screen) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.parser.write(b)
	return len(b), nil
}

// Resize changes the size, as New takes it. Rows are cut or get blank columns; rows at
// the top go if the cursor would not be seen.
func (s *Screen) Resize(rows, columns int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cursor.wraps {
		s.cursor.column++ // behind the last character, if there will be room
	}
	s.rows, s.columns = clamp(rows, 1, largest), clamp(columns, 1, largest)
	var gone int
	s.grid, gone = s.grid.resized(s.rows, s.columns, s.cursor.row)
	s.cursor.row -= gone
	if s.hidden != nil {
		other := 1
		if s.modes.alternate {
			other = 0
		}
		s.hidden, gone = s.hidden.resized(s.rows, s.columns, s.saved[other].row)
		s.saved[other].row -= gone
	}
	s.top, s.bottom = 0, s.rows
	s.cursor.wraps = false
	s.joins = false
	for _, c := range []*cursor{&s.cursor, &s.saved[0], &s.saved[1]} {
		c.row, c.column = clamp(c.row, 0, s.rows-1), clamp(c.column, 0, s.columns-1)
	}
}

// Cursor returns the row and the column of the cursor, counted from 1 as sequences do.
func (s *Screen) Cursor() (row, column int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cursor.row + 1, s.cursor.column + 1
}

// Replies returns what a terminal types in answer to the queries since the last call:
// device attributes, status, position and size, modes, and the colours of text and
// background. Of replies that are not taken it keeps 4096 bytes.
func (s *Screen) Replies() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	replies := s.replies
	s.replies = nil
	return replies
}

// reply adds a reply.
func (s *Screen) reply(text string) {
	if len(s.replies)+len(text) <= mostString {
		s.replies = append(s.replies, text...)
	}
}

func clamp(n, least, most int) int { return min(max(n, least), most) }
