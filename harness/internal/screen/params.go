package screen

// params are the parameters of a control sequence.
type params struct {
	values []int  // -1 where there is none
	sub    []bool // parted from the one before by a colon
}

// Limits of what is kept of a sequence. Real ones are far below.
const (
	mostParams = 64
	mostValue  = 1 << 16
	mostString = 4096 // bytes of an operating system command
)

// parseParams reads digits, semicolons and colons.
func parseParams(b []byte) params {
	p := params{values: []int{-1}, sub: []bool{false}}
	for _, c := range b {
		last := len(p.values) - 1
		switch {
		case c >= '0' && c <= '9':
			p.values[last] = min(max(p.values[last], 0)*10+int(c-'0'), mostValue)
		case len(p.values) < mostParams:
			p.values = append(p.values, -1)
			p.sub = append(p.sub, c == ':')
		}
	}
	return p
}

func (p params) len() int { return len(p.values) }

func (p params) isSub(i int) bool { return i < len(p.sub) && p.sub[i] }

// get returns parameter i, or otherwise if there is none.
func (p params) get(i, otherwise int) int {
	if i >= len(p.values) || p.values[i] < 0 {
		return otherwise
	}
	return p.values[i]
}

// count returns parameter i as a number of times, which is 1 at least.
func (p params) count(i int) int { return max(p.get(i, 1), 1) }

// color reads the colour behind parameter i, which is 38, 48 or 58, in any of the forms
// 5;n, 2;r;g;b, 5:n, 2:r:g:b and 2:space:r:g:b. It returns the index of its last
// parameter.
func (p params) color(i int) (c color, known bool, last int) {
	begin, colons := i+1, 0
	for p.isSub(begin + colons) {
		colons++
	}
	space := 0
	if colons > 4 {
		space = 1
	}
	switch p.get(begin, 0) {
	case 5:
		c, known, last = color{indexed, uint32(p.get(begin+1, 0) & 255)}, true, begin+1
	case 2:
		at := begin + 1 + space
		r, g, b := p.get(at, 0)&255, p.get(at+1, 0)&255, p.get(at+2, 0)&255
		c, known, last = color{direct, uint32(r<<16 | g<<8 | b)}, true, at+2
	default:
		last = begin
	}
	if colons > 0 {
		last = i + colons
	}
	return c, known, last
}
