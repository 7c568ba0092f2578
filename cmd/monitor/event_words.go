package main

import (
	"fmt"
	"io"

	"github.com/gemini-monitor/gemini/monitor"
	"github.com/gemini-monitor/gemini/tracker/trees"
)

// eventTime is how the time of an event is printed.
const eventTime = "2006-01-02T15:04:05.000Z07:00"

// printEvent prints an event as one line.
func printEvent(out io.Writer, e monitor.Event) error {
	line := e.Time.Local().Format(eventTime)
	if e.Name != "" {
		line += " " + e.Name
	}
	_, err := fmt.Fprintln(out, line+" "+eventWords(e))
	return err
}

// eventWords returns what has happened, in words that begin with the kind of the event.
func eventWords(e monitor.Event) string {
	text := plain(string(e.Kind))
	if e.State != "" {
		text += " " + plain(string(e.State))
	}
	if m := e.Member; m != nil {
		text += fmt.Sprintf(" %d", m.PID)
		if name := m.Command.String(); name != "" { // it had ended before it could be read
			text += " " + plain(name)
		}
		if e.Kind == monitor.EventJoined {
			text += ", " + linkWords(m.Link)
		}
	}
	if e.Kind == monitor.EventRemoved && e.How != "" {
		text += howWords(e.How)
	}
	if e.Since != nil && !e.Since.IsZero() {
		text += " since " + e.Since.Local().Format(eventTime)
	}
	switch {
	case e.Reason != "":
		text += ": " + plain(e.Reason)
	case e.State == monitor.StateStarting && len(e.Command) > 0:
		text += ": " + commandLine(e.Command)
	}
	return text
}

// linkWords returns a link as the end of a line.
func linkWords(l trees.Link) string {
	if l.Kind == trees.LinkRoot {
		return "the command"
	}
	return plain(l.String())
}
