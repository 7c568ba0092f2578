package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/gemini-monitor/gemini/monitor"
	"github.com/gemini-monitor/gemini/tracker/process"
	"github.com/gemini-monitor/gemini/tracker/trees"
)

// printWhy prints an explanation. On a terminal command lines are cut, and lines wrap between
// words.
func printWhy(out io.Writer, w *explanation, v view) error {
	lines := append([]string{w.headline()}, w.orders(v.now)...)
	for _, m := range w.Members {
		lines = append(lines, v.portrait(m.Process, m.detail)+": "+w.origin(m))
	}
	for _, m := range w.Released {
		lines = append(lines, v.portrait(m.Process, m.detail)+": released, and runs on; it does not keep the runtime")
	}
	for _, p := range w.Holders {
		lines = append(lines, v.portrait(p.Process, p.detail)+": holds the lease, and no link leads from it to the runtime")
	}
	for _, line := range append(lines, w.endings()...) {
		if _, err := fmt.Fprintln(out, wrap(line, v.width)); err != nil {
			return err
		}
	}
	return nil
}

// headline returns the state of the runtime with its reason.
func (w *explanation) headline() string {
	text := fmt.Sprintf("runtime %q is %s", w.Name, plain(string(w.State)))
	switch {
	case w.Reason != "":
		return text + ": " + plain(w.Reason)
	case w.State == monitor.StateStarting:
		return fmt.Sprintf("%s: process %d is about to become its command", text, w.owner.PID)
	case w.State == monitor.StateIdle:
		return text + ": no process of it lives, and it is kept, as it is durable"
	case w.State == monitor.StateStopping:
		return text + ": it was found empty, and is being removed"
	case len(w.Members) == 0:
		return text + ": none of its processes is known to live, and its monitor is about to find out"
	}
	return text
}

// orders returns what the members were told, or will be.
func (w *explanation) orders(now time.Time) (lines []string) {
	if w.Ending != nil {
		return []string{fmt.Sprintf("its members were told to end %s ago, by %s", age(now.Sub(w.Ending.Asked)), plain(string(w.Ending.By)))}
	}
	if w.Limits.Timeout > 0 {
		due := w.created.Add(time.Duration(w.Limits.Timeout))
		lines = append(lines, fmt.Sprintf("its members are told to end in %s, by its time limit", age(due.Sub(now))))
	}
	if w.Limits.Leftovers {
		lines = append(lines, "when the command ends, what it leaves is told to end")
	}
	return lines
}

// portrait returns PID, command line and circumstances of a process. A command line takes at
// most half of the terminal's width.
func (v view) portrait(p process.Process, d detail) string {
	command := d.command(p)
	if v.width > 0 {
		command = shorten(command, max(v.width/2, leastCommand))
	}
	return fmt.Sprintf("%d %s%s", p.PID, command, v.circumstances(p, d))
}

// mostLinks is how many links of a chain are told one after the other.
const mostLinks = 8

// origin returns how a process came to be a member, up to the command: "child of 4710, which
// was a child of 4700 bash, the command".
func (w *explanation) origin(m explainedMember) string {
	var text strings.Builder
	link, rest := m.Link, m.Chain
	text.WriteString(w.evidence(link))
	for told := 1; leads(link); told++ {
		next := link.Through
		switch {
		case next == w.owner:
			fmt.Fprintf(&text, " %s, the command", w.named(next, rest))
			return text.String()
		case len(rest) == 0:
			fmt.Fprintf(&text, " %d, of which no more is known", next.PID)
			return text.String()
		}
		text.WriteString(" " + w.named(next, rest))
		if left := len(rest) - 1; told >= mostLinks && left > 1 {
			fmt.Fprintf(&text, ", and so on through %d more, up to %s", left, w.top(rest[left]))
			return text.String()
		}
		link = rest[0].Link
		fmt.Fprintf(&text, ", which %s%s%s", tense(rest[0]), article(link), w.evidence(link))
		rest = rest[1:]
	}
	return text.String()
}

// leads reports whether a link is evidence about another process.
func leads(l trees.Link) bool {
	switch l.Kind {
	case trees.LinkParent, trees.LinkLineage, trees.LinkGroup, trees.LinkSession:
		return l.Through != process.Identity{}
	}
	return false
}

// named returns the PID of a process, with its name if it lives. The chain begins with it, if
// it goes on.
func (w *explanation) named(id process.Identity, chain []chainLink) string {
	if len(chain) > 0 && chain[0].Identity == id && chain[0].Command != "" {
		return fmt.Sprintf("%d %s", id.PID, plain(chain[0].Command))
	}
	return fmt.Sprint(id.PID)
}

// top returns the end of a chain in words.
func (w *explanation) top(last chainLink) string {
	text := w.named(last.Identity, []chainLink{last})
	if last.Identity == w.owner {
		text += ", the command"
	}
	return text
}

// tense returns the verb before a link inside a sentence.
func tense(l chainLink) string {
	switch {
	case l.Link.Kind == trees.LinkJoin:
		return "" // its words have a verb
	case l.Alive:
		return "is "
	}
	return "was "
}

// article returns what stands before the words of evidence inside a sentence.
func article(l trees.Link) string {
	switch l.Kind {
	case trees.LinkParent:
		return "a "
	case trees.LinkLineage, trees.LinkGroup, trees.LinkSession, trees.LinkMark:
		return "an "
	}
	return ""
}

// evidence returns a link in words, which end before the process that it leads to.
func (w *explanation) evidence(l trees.Link) string {
	switch l.Kind {
	case trees.LinkRoot:
		return "the command"
	case trees.LinkParent:
		return "child of"
	case trees.LinkLineage:
		return "orphan made by"
	case trees.LinkGroup, trees.LinkSession:
		return fmt.Sprintf("orphan in the %s of", l.Kind)
	case trees.LinkMark:
		return "orphan with the mark of the runtime in its environment"
	case trees.LinkKnown:
		return "known from before"
	case trees.LinkJoin:
		return "joined from outside"
	}
	return plain(l.String())
}

// endings returns what is not known, and what would end the runtime.
func (w *explanation) endings() (lines []string) {
	switch {
	case w.Unasked != "":
		lines = append(lines, plain(w.Unasked))
	case w.Unseen == 1:
		lines = append(lines, "1 process may not be looked into, and may hold the lease as well")
	case w.Unseen > 1:
		lines = append(lines, fmt.Sprintf("%d processes may not be looked into, and may hold the lease as well", w.Unseen))
	case w.sought && len(w.Holders) == 0 && len(w.Members) > 0:
		lines = append(lines, "no other process that can be seen here holds the lease")
	case w.sought && len(w.Holders) == 0:
		lines = append(lines, "no process that can be seen here holds the lease")
	}
	switch {
	case w.place != "":
		lines = append(lines, fmt.Sprintf("delete %s if it is not needed", quote(w.place)))
	case w.State == monitor.StateIdle:
		lines = append(lines, w.EndedBy+" removes it")
	case w.forgoes:
		lines = append(lines, w.EndedBy+" removes it without that")
	case w.EndedBy != "" && len(w.Holders) > 0:
		lines = append(lines, w.EndedBy+" ends its members; it goes when "+w.haveEnded()+" too")
	case w.EndedBy != "":
		lines = append(lines, w.EndedBy+" ends it")
	case len(w.Holders) > 0:
		lines = append(lines, "it goes when "+w.haveEnded())
	}
	return lines
}

// haveEnded says of the holders that they have ended.
func (w *explanation) haveEnded() string {
	pids := make([]string, len(w.Holders))
	for i, p := range w.Holders {
		pids[i] = strconv.Itoa(p.PID)
	}
	if len(pids) == 1 {
		return "process " + pids[0] + " has ended"
	}
	last := len(pids) - 1
	return fmt.Sprintf("processes %s and %s have ended", strings.Join(pids[:last], ", "), pids[last])
}
