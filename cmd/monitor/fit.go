package main

import "unicode"

// leastCommand is how many columns a command keeps where a line is too long.
const leastCommand = 10

// fit returns a line with a command in it. The command is cut where the line is wider than
// the terminal, and the line where too little of the command were left. A width of 0 is none.
func fit(before, command, after string, width int) string {
	whole := before + command + after
	room := width - columns(before) - columns(after)
	switch {
	case width <= 0:
		return whole
	case room < leastCommand:
		return shorten(whole, width)
	}
	return before + shorten(command, room) + after
}

// shorten cuts a text to a number of columns. Dots stand for what is left out, if there is
// room for more than them.
func shorten(text string, room int) string {
	if columns(text) <= room {
		return text
	}
	dots := "…"
	if room <= 1 {
		dots = ""
	}
	left := room - columns(dots)
	for i, c := range text {
		if left -= columnsFor(c); left < 0 {
			return text[:i] + dots
		}
	}
	return text
}

// columns returns how many columns of a terminal a text takes.
func columns(text string) (n int) {
	for _, c := range text {
		n += columnsFor(c)
	}
	return n
}

// columnsFor is close for what programs are named: 2 for the writing of East Asia and for
// pictures, 0 for marks on the letter before.
func columnsFor(c rune) int {
	switch {
	case unicode.In(c, unicode.Mn, unicode.Me, unicode.Cf):
		return 0
	case c >= 0x1100 && unicode.In(c, unicode.Han, unicode.Hangul, unicode.Hiragana, unicode.Katakana),
		c >= 0x3000 && c <= 0x303e, c >= 0xff01 && c <= 0xff60, c >= 0x1f300 && c <= 0x1faff:
		return 2
	}
	return 1
}
