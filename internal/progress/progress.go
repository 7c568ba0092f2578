// Package progress condenses what the ginkgo command prints about several suites: a line
// for each suite instead of a character for each spec. Failures pass through unchanged.
package progress

import (
	"bytes"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// What ginkgo prints of a suite that passes is one line:
//
//	[1764] Tracker - 12/15 specs - 4 procs ••S•• SUCCESS! 3.2s
//
// A failure interrupts it by a block of lines, after which a line of characters goes on. The
// line with the result of a suite that failed begins with FAIL!.
var (
	colour  = regexp.MustCompile("\x1b\\[[0-9;]*m")
	heading = regexp.MustCompile(`^\[(\d+)\] (.+?)(?: \[[^]]*\])* - (\d+)/(\d+) specs (?:- \d+ procs )?(.*)$`)
	specs   = regexp.MustCompile(`^([•SP]*)(?: ?SUCCESS! (\S+) ?(?:PASS)?)?$`)
	failed  = regexp.MustCompile(`^FAIL!`)
)

// erase returns to the begin of a line of a terminal and clears it.
const erase = "\r\x1b[K"

// A suite is one whose heading was read and whose end was not.
type suite struct {
	seed, name      string
	all, chosen     int // specs, and those that no filter leaves out
	passed, skipped int // what was read of them
	named           bool
}

// A Printer condenses what is written to it. Its methods are for one goroutine at a time.
type Printer struct {
	out   io.Writer
	live  bool
	line  []byte // the begin of a line whose end was not written
	suite *suite
	drawn bool // the terminal shows a line that is not kept
	err   error
}

// New returns a Printer that prints to out. If live is set, out is a terminal and shows how
// far the present suite is.
func New(out io.Writer, live bool) *Printer {
	p := &Printer{out: out, live: live}
	p.draw("building")
	return p
}

// Write condenses a piece of output. It returns the first error of the writer of the
// Printer.
func (p *Printer) Write(piece []byte) (int, error) {
	n := len(piece)
	for {
		line, rest, complete := bytes.Cut(piece, []byte("\n"))
		p.line = append(p.line, line...)
		if !complete {
			break
		}
		p.read(string(p.line))
		p.line, piece = p.line[:0], rest
	}
	p.show()
	return n, p.err
}

// Close prints what was written without the end of its line.
func (p *Printer) Close() error {
	if len(p.line) > 0 {
		p.read(string(p.line))
		p.line = nil
	}
	p.print("")
	return p.err
}

// read condenses a line.
func (p *Printer) read(line string) {
	plain := colour.ReplaceAllString(line, "")
	if found := heading.FindStringSubmatch(plain); found != nil {
		p.suite = begun(found)
		line, plain = found[5], found[5]
		if plain == "" {
			return
		}
	}
	found := specs.FindStringSubmatch(plain)
	switch s := p.suite; {
	case s == nil || found == nil || plain == "":
		p.pass(line, plain)
	case found[2] == "":
		s.count(found[1])
	default:
		s.count(found[1])
		p.print(s.result(found[2]) + "\n")
		p.suite = nil
	}
}

// pass prints a line that is none of the progress of a suite. The suite is named before the
// first one.
func (p *Printer) pass(line, plain string) {
	if s := p.suite; s != nil && !s.named && plain != "" {
		s.named = true
		p.print(fmt.Sprintf("\n%s, seed %s:\n", s.name, s.seed))
	}
	p.print(line + "\n")
	if failed.MatchString(plain) {
		p.suite = nil
	}
}

// show draws how far the suite is, with the specs of the line that has not ended.
func (p *Printer) show() {
	if !p.live {
		return
	}
	plain := colour.ReplaceAllString(string(p.line), "")
	now := p.suite
	if found := heading.FindStringSubmatch(plain); found != nil {
		now, plain = begun(found), found[5]
	}
	if now == nil {
		return
	}
	copied := *now
	if specs.MatchString(plain) {
		copied.count(plain)
	}
	p.draw(fmt.Sprintf("%s: %d of %d", copied.name, copied.passed, copied.chosen))
}

// draw shows a line on a terminal until the next one.
func (p *Printer) draw(text string) {
	if p.live {
		p.write(erase + text)
		p.drawn = true
	}
}

// print prints text that stays.
func (p *Printer) print(text string) {
	if p.drawn {
		p.drawn = false
		text = erase + text
	}
	p.write(text)
}

func (p *Printer) write(text string) {
	if _, err := io.WriteString(p.out, text); err != nil && p.err == nil {
		p.err = err
	}
}

// begun returns the suite of a heading.
func begun(found []string) *suite {
	chosen, _ := strconv.Atoi(found[3])
	all, _ := strconv.Atoi(found[4])
	return &suite{seed: found[1], name: found[2], chosen: chosen, all: all}
}

// count counts the characters of specs. Others are not counted.
func (s *suite) count(text string) {
	s.passed += strings.Count(text, "•")
	s.skipped += strings.Count(text, "S")
}

// result returns the line of a suite that has passed. Specs that a filter leaves out are
// not in it.
func (s *suite) result(took string) string {
	name := s.name + strings.Repeat(" ", max(0, nameWidth-utf8.RuneCountInString(s.name)))
	line := fmt.Sprintf("ok %11s  %s %5d passed", shortened(took), name, s.passed)
	if skipped := s.skipped - (s.all - s.chosen); skipped > 0 {
		line += fmt.Sprintf(", %d skipped", skipped)
	}
	return line
}

// shortened rounds a duration for people.
func shortened(took string) string {
	d, err := time.ParseDuration(took)
	switch {
	case err != nil:
		return took
	case d < time.Minute:
		return fmt.Sprintf("%.1f s", d.Seconds())
	}
	d = d.Round(time.Second)
	return fmt.Sprintf("%d min %d s", d/time.Minute, d%time.Minute/time.Second)
}

// nameWidth is the width of the column of names.
const nameWidth = 44
