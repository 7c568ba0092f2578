package main

import (
	"fmt"
	"strings"
)

// A page is a manual page in the making, in the macros of man(7).
type page struct{ strings.Builder }

// title begins a page.
func (p *page) title(name, date, source string) {
	fmt.Fprintf(p, ".TH %s 1 %q %q\n", roff(name), date, source)
}

// section begins a section.
func (p *page) section(name string) { fmt.Fprintf(p, ".SH %s\n", name) }

// text writes paragraphs, which blank lines separate. Indented lines stay as they are.
func (p *page) text(text string) {
	for i, paragraph := range strings.Split(strings.Trim(text, "\n"), "\n\n") {
		if i > 0 {
			p.WriteString(".PP\n")
		}
		for block, indented := range blocks(paragraph) {
			if indented {
				p.literal(block)
			} else {
				p.WriteString(roff(block) + "\n")
			}
		}
	}
}

// blocks yields the lines of a paragraph in groups: indented ones, and others.
func blocks(paragraph string) func(yield func(block string, indented bool) bool) {
	return func(yield func(string, bool) bool) {
		var group []string
		within := false
		for line := range strings.SplitSeq(paragraph, "\n") {
			if indented := strings.HasPrefix(line, " "); indented != within {
				if len(group) > 0 && !yield(strings.Join(group, "\n"), within) {
					return
				}
				group, within = nil, indented
			}
			group = append(group, line)
		}
		yield(strings.Join(group, "\n"), within)
	}
}

// literal writes lines that are shown as they are.
func (p *page) literal(lines string) { fmt.Fprintf(p, ".nf\n%s\n.fi\n", roff(lines)) }

// item writes a word or a flag, with what it means.
func (p *page) item(tag, meaning string) {
	fmt.Fprintf(p, ".TP\n\\fB%s\\fR\n%s\n", roff(tag), roff(meaning))
}

// flags writes the flags of a help text: a line for each, with three spaces or more before
// its meaning.
func (p *page) flags(help string) {
	for line := range strings.Lines(help) {
		tag, meaning, _ := strings.Cut(strings.TrimSpace(line), "   ")
		if tag != "" {
			p.item(tag, strings.TrimSpace(meaning))
		}
	}
}

// escapes has what roff would take for its own, or would show as another character.
var escapes = strings.NewReplacer(`\`, `\e`, `-`, `\-`, `'`, `\(aq`, "`", `\(ga`, `^`, `\(ha`, `~`, `\(ti`)

// roff returns text as roff shows it. A line that begins with a dot is no request.
func roff(text string) string {
	lines := strings.Split(escapes.Replace(text), "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, ".") {
			lines[i] = `\&` + line
		}
	}
	return strings.Join(lines, "\n")
}
