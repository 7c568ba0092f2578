package main

import (
	"fmt"
	"os"

	"golang.org/x/term"
)

// Escape sequences of all terminals since the VT100, and the alternate screen of xterm.
const (
	openScreen  = "\x1b[?1049h\x1b[?25l\x1b[H\x1b[2J" // alternate, without cursor, empty
	closeScreen = "\x1b[?25h\x1b[?1049l"
	reverse     = "\x1b[7m"
	normal      = "\x1b[m"
)

// The menu has its items from row firstItem on. digit is where the number of the marked
// item stands in the last line.
const (
	firstItem = 3
	lastLine  = "Item 1 of %d: arrows move, Enter picks, q leaves"
	digit     = 6
)

// pick shows items on the alternate screen, and returns what the user did.
func pick(items []string, in *input) (string, error) {
	terminal := int(os.Stdin.Fd())
	before, err := term.MakeRaw(terminal)
	if err != nil {
		return "", fmt.Errorf("open the menu: %w", err)
	}
	defer term.Restore(terminal, before)
	defer fmt.Print(closeScreen)
	m := menu{items: items}
	m.draw()
	for {
		switch readKey(in) {
		case up:
			m.mark(m.marked - 1)
		case down:
			m.mark(m.marked + 1)
		case enter:
			return "picked " + items[m.marked], nil
		case leave:
			return "picked nothing", nil
		}
	}
}

type key int

const (
	other key = iota
	up
	down
	enter
	leave
)

// readKey returns the next key, leave at the end of the input. An arrow key is three bytes: ESC, [ or O, and a letter.
// Enter is a line feed if it was typed before the terminal was in raw mode.
func readKey(in *input) key {
	b, err := in.next(nil)
	switch {
	case err != nil, b == 'q', b == 'C'-'@', b == 'D'-'@':
		return leave
	case b == '\r', b == '\n':
		return enter
	case b != '\x1b':
		return other
	}
	if b, _ = in.next(nil); b != '[' && b != 'O' {
		return other
	}
	switch b, _ = in.next(nil); b {
	case 'A':
		return up
	case 'B':
		return down
	}
	return other
}

type menu struct {
	items  []string
	marked int
}

// draw draws everything.
func (m *menu) draw() {
	fmt.Printf("%s\x1b[1;1HWhat shall be done?", openScreen)
	for i := range m.items {
		m.drawItem(i)
	}
	fmt.Printf("\x1b[%d;1H"+lastLine, firstItem+len(m.items)+1, len(m.items))
}

func (m *menu) drawItem(i int) {
	style := normal
	if i == m.marked {
		style = reverse
	}
	fmt.Printf("\x1b[%d;3H%s %-12s %s", firstItem+i, style, m.items[i], normal)
}

// mark moves the bar to item i, if there is one, and draws what has changed: two items
// and one digit.
func (m *menu) mark(i int) {
	if i < 0 || i >= len(m.items) {
		return
	}
	before := m.marked
	m.marked = i
	m.drawItem(before)
	m.drawItem(i)
	fmt.Printf("\x1b[%d;%dH%d", firstItem+len(m.items)+1, digit, i+1)
}
