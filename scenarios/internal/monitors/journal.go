//go:build darwin || linux

package monitors

import (
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/gemini-monitor/gemini/harness"
)

// events returns what the monitors have written to journals and logs, those of
// removed runtimes included.
func (g *Gemini) events() []harness.Event {
	g.keep()
	var all []harness.Event
	for path, file := range g.kept {
		text, _ := io.ReadAll(io.NewSectionReader(file, 0, 1<<20)) // an error leaves the part before it
		runtime := filepath.Base(filepath.Dir(path))
		for line := range strings.Lines(string(text)) {
			if event, ok := parse(filepath.Ext(path), line); ok {
				event.Track = "monitor of " + runtime
				all = append(all, event)
			}
		}
	}
	return all
}

// parse returns the event of a line of a journal (.jsonl) or of a log.
func parse(kind, line string) (harness.Event, bool) {
	if kind == ".jsonl" {
		return journalled(line)
	}
	return logged(line)
}

// journalled returns the event of a line of a journal.
func journalled(line string) (harness.Event, bool) {
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
	if json.Unmarshal([]byte(line), &entry) != nil { // the last line may be incomplete
		return harness.Event{}, false
	}
	e := harness.Event{Time: entry.Time, PID: entry.Member.PID}
	e.What = strings.Join(strings.Fields(entry.Event+" "+entry.Member.Command+" "+entry.Reason), " ")
	switch entry.Event {
	case "joined":
		e.Life, e.Parent = harness.Begins, entry.Member.Parent
		e.What += " (" + entry.Member.Link.Kind
		if through := entry.Member.Link.Through.PID; through != 0 {
			e.What += fmt.Sprintf(" %d", through)
		}
		e.What += ")"
	case "left":
		e.Life = harness.Ends
	}
	return e, true
}

var logLine = regexp.MustCompile(`^time=(\S+) (.*)`)

// logged returns the event of a line in slog's text format. Such a line has its time
// in whole milliseconds. The event gets the end of its millisecond, so that a
// decision in the log does not come before its cause in the journal.
func logged(line string) (harness.Event, bool) {
	match := logLine.FindStringSubmatch(line)
	if match == nil {
		return harness.Event{}, false
	}
	at, err := time.Parse(time.RFC3339Nano, match[1])
	if err != nil {
		return harness.Event{}, false
	}
	return harness.Event{Time: at.Add(time.Millisecond - time.Nanosecond), What: "logs: " + strings.TrimPrefix(strings.TrimSpace(match[2]), "level=INFO msg=")}, true
}
