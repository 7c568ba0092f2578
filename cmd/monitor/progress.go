package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/gemini-monitor/gemini/monitor"
)

// A progress tells on a terminal what a command waits for, when it has waited for a second:
// on one line, which is written anew each second and is gone in the end.
type progress struct {
	over  chan struct{}
	ended chan struct{}
}

// showProgress tells the processes that are left of runtimes, if standard error is a terminal.
// end ends that.
func showProgress(store *monitor.Store, names []string) (end func()) {
	width, ok := terminalWidth(os.Stderr)
	if !ok {
		return func() {}
	}
	p := &progress{over: make(chan struct{}), ended: make(chan struct{})}
	go p.show(os.Stderr, width, func() string {
		survey, err := store.Survey()
		if err != nil {
			return ""
		}
		return whatIsLeft(survey, names)
	})
	return func() {
		close(p.over)
		<-p.ended
	}
}

func (p *progress) show(out io.Writer, width int, text func() string) {
	defer close(p.ended)
	beat := time.NewTicker(time.Second)
	defer beat.Stop()
	shown := false
	for {
		select {
		case <-beat.C:
			fmt.Fprintf(out, "\r\x1b[K%s", shorten(text(), width-1))
			shown = true
		case <-p.over:
			if shown {
				fmt.Fprint(out, "\r\x1b[K")
			}
			return
		}
	}
}

// whatIsLeft returns the runtimes and their processes as one line.
func whatIsLeft(survey *monitor.Survey, names []string) string {
	var left []string
	for _, name := range names {
		status, err := survey.Named(name)
		if err != nil {
			continue
		}
		text := fmt.Sprintf("%s (%s)", name, headcount(status))
		if len(status.Members) > 0 {
			last := status.Members[len(status.Members)-1]
			text = fmt.Sprintf("%s (%s: %d %s)", name, headcount(status), last.PID, plain(last.Command.String()))
		}
		left = append(left, text)
	}
	return "waiting for " + strings.Join(left, ", ")
}
