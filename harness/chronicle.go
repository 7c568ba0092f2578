//go:build darwin || linux

package harness

import (
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// Events are what Gemini's monitors have journalled and logged, of runtimes
// that are gone as well.
func (g *Gemini) Events() []Event {
	g.keep()
	var all []Event
	for path, file := range g.kept {
		text, _ := io.ReadAll(io.NewSectionReader(file, 0, 1<<20)) // what can be read is better than nothing
		runtime := filepath.Base(filepath.Dir(path))
		for line := range strings.Lines(string(text)) {
			if event, ok := parse(filepath.Ext(path), line); ok {
				event.Who = "monitor of " + runtime
				all = append(all, event)
			}
		}
	}
	return all
}

func parse(kind, line string) (Event, bool) {
	if kind == ".jsonl" {
		return journalled(line)
	}
	return logged(line)
}

// journalled is an event from a line of a journal.
func journalled(line string) (Event, bool) {
	var entry struct {
		Time   time.Time
		Event  string
		Reason string
		Member struct {
			PID     int
			Parent  int
			Command string
			Link    struct {
				Kind    string
				Through struct{ PID int }
			}
		}
	}
	if json.Unmarshal([]byte(line), &entry) != nil { // the last line may be torn
		return Event{}, false
	}
	e := Event{Time: entry.Time, PID: entry.Member.PID}
	e.What = strings.Join(strings.Fields(entry.Event+" "+entry.Member.Command+" "+entry.Reason), " ")
	switch entry.Event {
	case "joined":
		e.Life, e.Parent = Begins, entry.Member.Parent
		e.What += " (" + entry.Member.Link.Kind
		if through := entry.Member.Link.Through.PID; through != 0 {
			e.What += fmt.Sprintf(" %d", through)
		}
		e.What += ")"
	case "left":
		e.Life = Ends
	}
	return e, true
}

var logLine = regexp.MustCompile(`^time=(\S+) (.*)`)

// logged is an event from a line of slog's text format. Its times are cut to
// milliseconds, so it is put at the end of its own: the log of what was
// decided is not to come before the journal of what was seen.
func logged(line string) (Event, bool) {
	match := logLine.FindStringSubmatch(line)
	if match == nil {
		return Event{}, false
	}
	at, err := time.Parse(time.RFC3339Nano, match[1])
	if err != nil {
		return Event{}, false
	}
	return Event{Time: at.Add(time.Millisecond - time.Nanosecond), What: "logs: " + strings.TrimPrefix(strings.TrimSpace(match[2]), "level=INFO msg=")}, true
}
