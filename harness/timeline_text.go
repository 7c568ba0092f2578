//go:build darwin || linux

package harness

import (
	"fmt"
	"regexp"
	"strings"
	"time"
)

// A page writes events for somebody who reads them at night: one line each,
// seconds since the beginning, who, what. Whatever repeats itself is counted,
// and a pause is pointed out.
type page struct {
	strings.Builder
	began   time.Time
	width   int    // of the column that says who
	mark    string // of the stage's prompts, left out
	last    time.Time
	passers map[int]bool // who came and went, and nobody else spoke of
}

const (
	// pause is how long nothing may happen before the page says so. What works
	// is faster, so a pause is where somebody waited in vain.
	pause = 500 * time.Millisecond
	// much is how many lines of a terminal are shown at once.
	much = 10
)

// writeTimeline writes events, which are in order of time.
func writeTimeline(events []Event, began time.Time, mark string) string {
	p := &page{began: began, mark: mark, last: began, passers: passersBy(events)}
	for _, e := range events {
		p.width = max(p.width, len(label(e)))
	}
	for len(events) > 0 {
		p.pause(events[0])
		write, group := p.event, alike(events)
		if events[0].stream != 0 {
			write = p.bytes
		} else if crowd := p.passing(events); crowd != nil {
			write, group = p.crowd, crowd
		}
		write(group)
		events = events[len(group):]
	}
	return p.String()
}

// alike is the events at the beginning that make one entry: bytes of one
// terminal in one direction, or the same thing over and over.
func alike(events []Event) []Event {
	n, first := 1, events[0]
	for n < len(events) {
		e := events[n]
		if label(e) != label(first) || e.stream != first.stream || e.stream == 0 && (e.What != first.What || e.PID != first.PID) {
			break
		}
		n++
	}
	return events[:n]
}

func label(e Event) string {
	if e.PID == 0 || !e.self {
		return e.Track
	}
	return fmt.Sprintf("%s %d", e.Track, e.PID)
}

func (p *page) pause(next Event) {
	if idle := next.Time.Sub(p.last); idle >= pause {
		fmt.Fprintf(p, "%9s %-*s   %s nothing happened\n", "...", p.width, "", short(idle))
	}
}

func (p *page) event(group []Event) {
	first, last := group[0], group[len(group)-1]
	if first.PID != 0 && !first.self {
		first.What = fmt.Sprintf("%d %s", first.PID, first.What)
	}
	text := strings.ReplaceAll(strings.TrimSpace(first.What), "\n", "\n"+strings.Repeat(" ", p.width+13))
	switch {
	case last.open:
		text += ": NO ANSWER YET"
	case len(group) == 1 && first.Took >= time.Millisecond:
		text += fmt.Sprintf(" (%s)", short(first.Took))
	case len(group) > 1:
		text += fmt.Sprintf(" (%d times, until %.3f)", len(group), last.Time.Sub(p.began).Seconds())
	}
	p.line(first, " ", text)
	p.last = last.Time.Add(last.Took)
}

// passersBy are the PIDs whose whole life one teller saw, and about whom nobody
// else says anything: what a shell starts to make its prompt, for example.
func passersBy(events []Event) map[int]bool {
	tellers, lives := map[int]string{}, map[int]Life{}
	for _, e := range events {
		if who, known := tellers[e.PID]; known && who != e.Track || e.self {
			e.Track = "" // no teller's name
		}
		tellers[e.PID] = e.Track
		lives[e.PID] |= e.Life
	}
	passed := map[int]bool{}
	for pid, life := range lives {
		passed[pid] = tellers[pid] != "" && life == Begins|Ends
	}
	return passed
}

// passing is the events at the beginning in which one teller speaks of nobody
// but passers-by, if they are enough to be a crowd.
func (p *page) passing(events []Event) []Event {
	n := 0
	for n < len(events) && p.passers[events[n].PID] && events[n].Track == events[0].Track {
		n++
	}
	if n < 4 {
		return nil
	}
	return events[:n]
}

// crowd writes the events of passers-by as one.
func (p *page) crowd(group []Event) {
	pids := map[int]bool{}
	for _, e := range group {
		pids[e.PID] = true
	}
	first, last := group[0], group[len(group)-1]
	p.line(first, " ", fmt.Sprintf("%d came and went, from %d to %d, until %.3f", len(pids), first.PID, last.PID, last.Time.Sub(p.began).Seconds()))
	p.last = last.Time
}

// bytes writes what was typed (>) or shown (<), long output from its two ends.
func (p *page) bytes(group []Event) {
	var all strings.Builder
	for _, e := range group {
		all.WriteString(e.What)
		p.last = e.Time
	}
	sign := "<"
	if group[0].stream == typed {
		sign = ">"
	}
	text := strings.ReplaceAll(all.String(), "\r\n", "\n")
	text = p.plain(text)
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	if left := len(lines) - much; left > 1 {
		between := fmt.Sprintf("... %d lines ...", left)
		lines = append(append(lines[:much/2:much/2], between), lines[len(lines)-much/2:]...)
	}
	for i, line := range lines {
		lines[i] = brief(visible(line), 160)
	}
	p.line(group[0], sign, strings.Join(lines, "\n"+strings.Repeat(" ", p.width+11)+sign+" "))
}

// plain is text without marks, colours and titles.
func (p *page) plain(text string) string {
	text = strings.ReplaceAll(text, "{"+p.mark+":", "{")
	text = statusMark.ReplaceAllString(text, "{$1} ")
	text = escapes.ReplaceAllString(text, "")
	text = startOfLine.ReplaceAllString(text, "")
	return rubbedOut.ReplaceAllString(text, "")
}

var (
	statusMark = regexp.MustCompile(`\x1b\]133;D;[^;\x07]*;(\d+)\x07`)
	escapes    = regexp.MustCompile(`\x1b\[[\d;?]*[A-Za-z]|\x1b\][^\x07]*\x07|\x1b[=>]`)
	// What line editors do to begin a line, and to echo what is typed early.
	startOfLine = regexp.MustCompile(`[%#] +\r \r|\r`)
	rubbedOut   = regexp.MustCompile(`[^\n]\x08`)
)

func (p *page) line(e Event, sign, text string) {
	fmt.Fprintf(p, "%9.3f %-*s %s %s\n", e.Time.Sub(p.began).Seconds(), p.width, label(e), sign, text)
}

// short is a duration with three digits at most.
func short(d time.Duration) string {
	if d < time.Second {
		return fmt.Sprintf("%d ms", d.Milliseconds())
	}
	return fmt.Sprintf("%.1f s", d.Seconds())
}

// brief cuts text in the middle of which nobody is interested.
func brief(text string, enough int) string {
	if len(text) <= enough {
		return text
	}
	return text[:enough/2] + " ... " + text[len(text)-enough/2:]
}
