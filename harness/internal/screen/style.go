package screen

import (
	"strconv"
	"strings"
)

// A color is a colour of text or background. The zero value is the default colour.
type color struct {
	kind  colorKind
	value uint32 // an index, or red, green and blue in a byte each
}

type colorKind uint8

const (
	standard colorKind = iota
	indexed            // of 256; the first 16 have codes of their own
	direct
)

// An attribute is a bit for each way to show text.
type attribute uint16

// The attributes in the order of their SGR codes, from 1 on.
const (
	bold attribute = 1 << iota
	faint
	italic
	underline
	blink
	rapid
	reverse
	hidden
	strike
)

// A style is how a cell is shown. The zero value is plain.
type style struct {
	fg, bg     color
	attributes attribute
}

// sgr returns the sequence that sets this style, whatever the style before it.
func (s style) sgr() string {
	codes := []string{""}
	for i := range 9 {
		if s.attributes&(1<<i) != 0 {
			codes = append(codes, strconv.Itoa(i+1))
		}
	}
	codes = s.fg.codes(codes, 30)
	codes = s.bg.codes(codes, 40)
	if len(codes) > 1 {
		codes[0] = "0"
	}
	return "\x1b[" + strings.Join(codes, ";") + "m"
}

// codes appends the codes of a colour: base is 30 for text, 40 for background.
func (c color) codes(codes []string, base int) []string {
	value := int(c.value)
	switch {
	case c.kind == direct:
		return append(codes, strconv.Itoa(base+8), "2", strconv.Itoa(value>>16), strconv.Itoa(value>>8&255), strconv.Itoa(value&255))
	case c.kind == standard:
		return codes
	case value < 8:
		return append(codes, strconv.Itoa(base+value))
	case value < 16:
		return append(codes, strconv.Itoa(base+60+value-8))
	default:
		return append(codes, strconv.Itoa(base+8), "5", strconv.Itoa(value))
	}
}

// apply returns the style after the parameters of an SGR sequence.
func (s style) apply(p params) style {
	for i := 0; i < p.len(); i++ {
		code := p.get(i, 0)
		switch {
		case code == 38, code == 48, code == 58:
			var c color
			var known bool
			if c, known, i = p.color(i); known {
				s.set(code, c)
			}
		case code == 4 && p.isSub(i+1):
			i++
			s.attributes &^= underline
			if p.get(i, 0) != 0 {
				s.attributes |= underline
			}
		default:
			s.simple(code)
		}
		for p.isSub(i + 1) { // of a code that has none
			i++
		}
	}
	return s
}

// set sets the colour that code, 38 or 48, is for. That of underlines, 58, is not kept.
func (s *style) set(code int, c color) {
	switch code {
	case 38:
		s.fg = c
	case 48:
		s.bg = c
	}
}

// simple applies a code without parameters.
func (s *style) simple(code int) {
	switch {
	case code == 0:
		*s = style{}
	case code >= 1 && code <= 9:
		s.attributes |= 1 << (code - 1)
	case code == 21: // underlined twice
		s.attributes |= underline
	case code == 22:
		s.attributes &^= bold | faint
	case code == 25:
		s.attributes &^= blink | rapid
	case code >= 23 && code <= 29:
		s.attributes &^= 1 << (code - 21)
	case code >= 30 && code <= 37:
		s.fg = color{indexed, uint32(code - 30)}
	case code == 39:
		s.fg = color{}
	case code >= 40 && code <= 47:
		s.bg = color{indexed, uint32(code - 40)}
	case code == 49:
		s.bg = color{}
	case code >= 90 && code <= 97:
		s.fg = color{indexed, uint32(code - 90 + 8)}
	case code >= 100 && code <= 107:
		s.bg = color{indexed, uint32(code - 100 + 8)}
	}
}
