package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
)

const (
	// leastLast is how many columns the last column of a table keeps, where names can be cut
	// for it.
	leastLast = 24
	// leastName is how many columns a name keeps.
	leastName = 12
	// endOfName is how much of the end of a name is kept: names that are made up differ there.
	endOfName = 9
	// gap is how many columns are between two columns of a table.
	gap = 2
)

// printRows prints rows in columns. On a terminal, the last column is cut where the line ends,
// and names, which are in the first one, where they would leave too little for it.
func printRows(out io.Writer, rows [][]string, width int) error {
	var text strings.Builder
	w := tabwriter.NewWriter(&text, 0, 0, gap, ' ', 0)
	for _, row := range narrow(rows, width) {
		fmt.Fprintln(w, strings.Join(row, "\t"))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	for line := range strings.Lines(text.String()) {
		if _, err := fmt.Fprintln(out, fit("", strings.TrimSuffix(line, "\n"), "", width)); err != nil {
			return err
		}
	}
	return nil
}

// narrow cuts the names in the first column of rows, where they would leave too little for the
// last one.
func narrow(rows [][]string, width int) [][]string {
	widest := make([]int, len(rows[0]))
	before := 0
	for c := range widest[:len(widest)-1] {
		for _, row := range rows {
			widest[c] = max(widest[c], columns(row[c]))
		}
		before += widest[c] + gap
	}
	over := before + leastLast - width
	if width <= 0 || over <= 0 {
		return rows
	}
	room := max(widest[0]-over, leastName)
	narrowed := make([][]string, len(rows))
	for i, row := range rows {
		narrowed[i] = slices.Clone(row)
		narrowed[i][0] = shortenName(row[0], room)
	}
	return narrowed
}

// shortenName cuts a name to a number of columns, in front of its end.
func shortenName(name string, room int) string {
	if columns(name) <= room {
		return name
	}
	end := min(endOfName, (room-1)/2)
	return name[:room-1-end] + "…" + name[len(name)-end:] // its characters are of one byte
}

// indent is what begins a line that goes on.
const indent = "    "

// wrap breaks a line between words where it is wider than the terminal. A word that is wider
// stays whole. A width of 0 is none.
func wrap(line string, width int) string {
	if width <= 0 || columns(line) <= width {
		return line
	}
	var text strings.Builder
	room := width
	for i, word := range strings.Split(line, " ") {
		size := columns(word)
		switch {
		case i == 0:
		case size+1 > room:
			text.WriteString("\n" + indent)
			room = width - len(indent)
		default:
			text.WriteByte(' ')
			room--
		}
		text.WriteString(word)
		room -= size
	}
	return text.String()
}
