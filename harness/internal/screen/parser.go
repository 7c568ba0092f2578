package screen

import "unicode/utf8"

// A parser splits bytes into characters, controls and sequences, by the state machine
// of the VT500 (https://vt100.net/emu/dec_ansi_parser) over UTF-8. It keeps what is
// incomplete until the next byte.
type parser struct {
	state  parserState
	rune   []byte // the first bytes of an incomplete character
	marks  []byte // the private prefix and the intermediates of a sequence
	params []byte
	text   []byte // of an operating system command
	output actions
}

// actions are what a parser calls.
type actions interface {
	print(r rune)
	control(c byte)
	escape(marks string, final byte)
	sequence(marks string, p params, final byte)
	command(text, end string) // an operating system command and how it ended
}

type parserState uint8

const (
	ground     parserState = iota
	escaped                // behind ESC
	sequenced              // behind ESC [
	commanded              // behind ESC ]
	skipped                // in another string: DCS, SOS, PM, APC
	commandEnd             // behind ESC in a command
)

const esc = 0x1b

func (p *parser) write(b []byte) {
	for _, c := range b {
		p.byte(c)
	}
}

func (p *parser) byte(c byte) {
	switch {
	case p.state == ground && (c >= 0x80 || len(p.rune) > 0):
		p.utf8(c)
	case c == 0x18, c == 0x1a: // CAN and SUB
		p.state = ground
	case c == esc && p.state == commanded:
		p.state = commandEnd
	case c == esc:
		p.begin(escaped)
	default:
		p.inState(c)
	}
}

func (p *parser) begin(s parserState) {
	p.state = s
	p.marks, p.params, p.text = p.marks[:0], p.params[:0], p.text[:0]
}

func (p *parser) inState(c byte) {
	switch p.state {
	case ground:
		p.inGround(c)
	case escaped:
		p.inEscape(c)
	case sequenced:
		p.inSequence(c)
	case commanded:
		p.inCommand(c)
	case commandEnd: // ESC \ ends the command, any other ESC sequence, too
		p.output.command(string(p.text), "\x1b\\")
		p.begin(escaped)
		p.inEscape(c)
	}
}

func (p *parser) inGround(c byte) {
	switch {
	case c < 0x20:
		p.output.control(c)
	case c < 0x7f:
		p.output.print(rune(c))
	}
}

// utf8 takes a byte of a character of several bytes, or the byte that cuts one short.
func (p *parser) utf8(c byte) {
	if c < 0x80 {
		p.rune = p.rune[:0]
		p.output.print(utf8.RuneError)
		p.byte(c)
		return
	}
	p.rune = append(p.rune, c)
	for len(p.rune) > 0 && utf8.FullRune(p.rune) {
		r, n := utf8.DecodeRune(p.rune)
		p.rune = append(p.rune[:0], p.rune[n:]...)
		if r >= 0x80 && r < 0xa0 { // a control of two bytes in one character
			p.begin(escaped)
			p.inEscape(byte(r) - 0x40)
			continue
		}
		p.output.print(r)
	}
}

func (p *parser) inEscape(c byte) {
	switch {
	case c < 0x20:
		p.output.control(c)
	case c < 0x30:
		p.marks = append(p.marks, c)
	case c >= 0x7f:
	case len(p.marks) > 0:
		p.state = ground
		p.output.escape(string(p.marks), c)
	case c == '[':
		p.begin(sequenced)
	case c == ']':
		p.begin(commanded)
	case c == 'P', c == 'X', c == '^', c == '_':
		p.begin(skipped)
	default:
		p.state = ground
		p.output.escape("", c)
	}
}

func (p *parser) inSequence(c byte) {
	switch {
	case c < 0x20:
		p.output.control(c)
	case c < 0x30, c >= '<' && c <= '?':
		if len(p.marks) < mostParams {
			p.marks = append(p.marks, c)
		}
	case c < 0x40:
		if len(p.params) < mostString {
			p.params = append(p.params, c)
		}
	case c < 0x7f:
		p.state = ground
		p.output.sequence(string(p.marks), parseParams(p.params), c)
	}
}

func (p *parser) inCommand(c byte) {
	switch {
	case c == 0x07:
		p.state = ground
		p.output.command(string(p.text), "\a")
	case len(p.text) < mostString:
		p.text = append(p.text, c)
	}
}
