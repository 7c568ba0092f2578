package screen

// A cell is a column of a row.
type cell struct {
	text  string // a character with what combines with it; "" is blank
	half  bool   // the right half of the cell before it
	style style
}

// A grid is the cells of a screen.
type grid [][]cell

func newGrid(rows, columns int) grid {
	g := make(grid, rows)
	for i := range g {
		g[i] = make([]cell, columns)
	}
	return g
}

// scroll moves the rows from top to before bottom up by n, or down by -n, and clears
// those that come in.
func (g grid) scroll(top, bottom, n int, blank cell) {
	height := bottom - top
	n = min(max(n, -height), height)
	for ; n > 0; n-- {
		first := g[top]
		copy(g[top:bottom], g[top+1:bottom])
		g[bottom-1] = first
		fill(first, blank)
	}
	for ; n < 0; n++ {
		last := g[bottom-1]
		copy(g[top+1:bottom], g[top:bottom-1])
		g[top] = last
		fill(last, blank)
	}
}

func fill(cells []cell, with cell) {
	for i := range cells {
		cells[i] = with
	}
}

// clear clears the columns of a row from one to before another.
func (g grid) clear(row, from, to int, blank cell) {
	g.part(row, from)
	g.part(row, to)
	fill(g[row][from:to], blank)
}

// part clears a wide character of which column is the right half, since the columns
// before it and from it on go apart.
func (g grid) part(row, column int) {
	line := g[row]
	if column > 0 && column < len(line) && line[column].half {
		line[column-1].text, line[column].half = "", false
	}
}

// insert moves the cells from column on to the right by n, or to the left by -n.
func (g grid) insert(row, column, n int, blank cell) {
	line := g[row]
	width := len(line) - column
	g.part(row, column)
	if n > 0 {
		n = min(n, width)
		g.part(row, len(line)-n)
		copy(line[column+n:], line[column:])
		fill(line[column:column+n], blank)
		return
	}
	n = min(-n, width)
	g.part(row, column+n)
	copy(line[column:], line[column+n:])
	fill(line[len(line)-n:], blank)
}

// resized returns the grid at another size. Of more rows than fit, those at the top go
// that do not hold the cursor; gone is their number. Rows are cut, not wrapped.
func (g grid) resized(rows, columns, cursor int) (out grid, gone int) {
	gone = max(0, min(cursor-rows+1, len(g)))
	out = newGrid(rows, columns)
	for i := range out {
		if i+gone < len(g) {
			if columns < len(g[i+gone]) {
				g.part(i+gone, columns)
			}
			copy(out[i], g[i+gone])
		}
	}
	return out, gone
}
