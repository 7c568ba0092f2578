//go:build darwin || linux

package harness

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/gemini-monitor/gemini/harness/internal/terminal"
)

// A page writes events as text, one line each: seconds since the beginning, track,
// event. It counts repetitions and marks pauses.
type page struct {
	strings.Builder
	began   time.Time
	width   int    // of the column with the labels
	mark    string // of the stage's prompts, which the page leaves out
	last    time.Time
	passers map[int]bool // passersBy of the events
}

const (
	// pause is the time without an event from which on the page marks it.
	pause = 500 * time.Millisecond
	// much is how many lines of one output are shown.
	much = 10
)

// writeTimeline returns events, which are in order of time, as text.
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

// alike returns the events at the beginning that make one entry: bytes of one terminal or
// job in one direction, or equal events.
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

// label returns the track, with the PID of a process that recorded itself.
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

// passersBy returns the PIDs that occur on one track only, which has their beginning
// and their end: processes that a shell starts to make its prompt, for example.
func passersBy(events []Event) map[int]bool {
	tracks, lives := map[int]string{}, map[int]Life{}
	for _, e := range events {
		if track, known := tracks[e.PID]; known && track != e.Track || e.self {
			e.Track = "" // more than one, or the process itself
		}
		tracks[e.PID] = e.Track
		lives[e.PID] |= e.Life
	}
	passed := map[int]bool{}
	for pid, life := range lives {
		passed[pid] = tracks[pid] != "" && life == Begins|Ends
	}
	return passed
}

// passing returns the events at the beginning that are of one track and about
// passers-by, nil if they are fewer than four.
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

// crowd writes the events of passers-by as one line.
func (p *page) crowd(group []Event) {
	pids := map[int]bool{}
	for _, e := range group {
		pids[e.PID] = true
	}
	first, last := group[0], group[len(group)-1]
	p.line(first, " ", fmt.Sprintf("%d came and went, from %d to %d, until %.3f", len(pids), first.PID, last.PID, last.Time.Sub(p.began).Seconds()))
	p.last = last.Time
}

// bytes writes input (>), output (<) or standard error (!). Of long output it writes both
// ends.
func (p *page) bytes(group []Event) {
	var all strings.Builder
	for _, e := range group {
		all.WriteString(e.What)
		p.last = e.Time
	}
	sign := group[0].stream.sign()
	text := strings.ReplaceAll(all.String(), "\r\n", "\n")
	text = p.plain(text)
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	if left := len(lines) - much; left > 1 {
		between := fmt.Sprintf("... %d lines ...", left)
		lines = append(append(lines[:much/2:much/2], between), lines[len(lines)-much/2:]...)
	}
	for i, line := range lines {
		lines[i] = brief(terminal.Visible(line), 160)
	}
	p.line(group[0], sign, strings.Join(lines, "\n"+strings.Repeat(" ", p.width+11)+sign+" "))
}

// plain returns text without marks, colours and titles.
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
	// startOfLine and rubbedOut match what line editors print at the beginning of a
	// line, and when they echo early input.
	startOfLine = regexp.MustCompile(`[%#] +\r \r|\r`)
	rubbedOut   = regexp.MustCompile(`[^\n]\x08`)
)

func (p *page) line(e Event, sign, text string) {
	fmt.Fprintf(p, "%9.3f %-*s %s %s\n", e.Time.Sub(p.began).Seconds(), p.width, label(e), sign, text)
}

// short returns a duration as text, with three digits at most.
func short(d time.Duration) string {
	if d < time.Second {
		return fmt.Sprintf("%d ms", d.Milliseconds())
	}
	return fmt.Sprintf("%.1f s", d.Seconds())
}

// brief returns text with its middle cut out, if it is longer than enough.
func brief(text string, enough int) string {
	if len(text) <= enough {
		return text
	}
	// A cut may be inside a character.
	return strings.ToValidUTF8(text[:enough/2], "") + " ... " + strings.ToValidUTF8(text[len(text)-enough/2:], "")
}
