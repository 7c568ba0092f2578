package terminal

import (
	"bytes"
	"fmt"
	"strings"
)

// Transcript returns the recording as text: the time, > before input and < before
// output.
func (r *Recording) Transcript() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var page strings.Builder
	for i := 0; i < len(r.passed); {
		p := r.passed[i]
		p.Bytes = bytes.Clone(p.Bytes)
		for i++; i < len(r.passed) && r.passed[i].Typed == p.Typed; i++ {
			p.Bytes = append(p.Bytes, r.passed[i].Bytes...)
		}
		writePassage(&page, p)
	}
	if r.end != nil {
		fmt.Fprintf(&page, "         . %v\n", r.end)
	}
	return page.String()
}

func writePassage(page *strings.Builder, p Passage) {
	sign := "<"
	if p.Typed {
		sign = ">"
	}
	when := fmt.Sprintf("%8.3f", p.At.Seconds())
	text := strings.ReplaceAll(string(p.Bytes), "\r\n", "\n")
	for line := range strings.Lines(text) {
		fmt.Fprintf(page, "%s %s %s\n", when, sign, Visible(strings.TrimSuffix(line, "\n")))
		when = strings.Repeat(" ", len(when))
	}
}

// Visible returns a line with control characters as a terminal echoes them: ^C.
func Visible(line string) string {
	var out strings.Builder
	for _, r := range line {
		switch {
		case r == '\t' || r >= ' ' && r != 0x7f:
			out.WriteRune(r)
		case r == 0x7f:
			out.WriteString("^?")
		default:
			out.WriteString("^" + string(r+'@'))
		}
	}
	return out.String()
}
