//go:build darwin || linux

package harness

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// A ginkgoT is Ginkgo's T. It runs functions at the moment of a failure, while the
// processes of the spec live, and has reports of its own.
type ginkgoT interface {
	DeferCleanup(args ...any)
	DeferOnFailure(args ...any)
	AddReportEntryVisibilityFailureOrVerbose(name string, args ...any)
}

// reportFailure makes Ginkgo call Report at the moment of a failure.
func (s *Stage) reportFailure() {
	if t, ok := s.t.(ginkgoT); ok {
		t.DeferOnFailure(s.explainOnce)
	}
}

// A progressT prints the progress of a running test. Ginkgo does so when a spec takes
// long and at ^T.
type progressT interface {
	AttachProgressReporter(func() string) (detach func())
}

// offerProgress adds the last events of the timeline to the progress of the test.
func (s *Stage) offerProgress() {
	if t, ok := s.t.(progressT); ok {
		s.t.Cleanup(t.AttachProgressReporter(s.progress))
	}
}

// progress returns the last events. Ginkgo calls it from a goroutine of its own at
// any time; it does not block.
func (s *Stage) progress() string {
	const few = 20
	events := s.timeline.merged(s.passages())
	return writeTimeline(events[max(0, len(events)-few):], s.timeline.began, s.mark)
}

// explain adds the report to a test that has failed, or that fails by what it has left
// behind.
func (s *Stage) explain(left bool) {
	if (s.fails() || left) && nameOf(s.t) != "" {
		s.explainOnce()
	}
}

// fails reports whether the test has failed, by a panic as well. Its caller is a clean-up.
func (s *Stage) fails() bool {
	_, panics := panicking()
	return s.t.Failed() || panics
}

// explainOnce adds the report to the test, unless that was done before.
func (s *Stage) explainOnce() {
	if s.explained.Swap(true) {
		return
	}
	text := s.Report()
	if t, ok := s.t.(ginkgoT); ok {
		t.AddReportEntryVisibilityFailureOrVerbose("report", text)
	} else {
		s.t.Logf("%s", text)
	}
}

// Report returns what happened on the stage: all events in order of time, the
// processes that live now, the screens of terminals, and the machine. If the test has a
// name, Report also writes files: this text, the timeline as a trace for Perfetto, and of
// each terminal an asciicast, the transcript and the screen. Their directory is below
// HARNESS_REPORTS if that is set. Else it is the artifact directory of the test under
// "go test -artifacts", and below out/failures of the module under test otherwise, or below
// harness-failures-UID in the temporary directory of the system where there is no module or
// it cannot be written. Of these two the harness removes all but the newest 100 reports.
//
// A stage calls Report itself when its test fails, by a panic in the goroutine of the test as
// well. A panic in another goroutine ends the process of the tests at once, without a report.
func (s *Stage) Report() string {
	if !s.failed.Load() {
		if at, panics := panicking(); panics {
			s.Failed("by a panic at " + at.String())
		} else if s.t.Failed() {
			s.Failed("")
		}
	}
	events := s.history()
	var page strings.Builder
	fmt.Fprintf(&page, "spec     %s\nreplay   %s\n%s", nameOf(s.t), replay(s.t), fingerprint())
	dir, err := s.reportDirectory()
	if dir != "" {
		fmt.Fprintf(&page, "files    %s (trace.json opens in ui.perfetto.dev and in speedscope)\n", dir)
	}
	fmt.Fprintf(&page, "\n  seconds (%s)\n%s", s.legend(events), writeTimeline(events, s.timeline.began, s.mark))
	s.now(&page, events)
	for _, t := range s.terminals.list() {
		page.WriteString(t.picture())
	}
	if dir != "" {
		err = errors.Join(err, s.keepReport(dir, page.String(), events))
	}
	if err != nil {
		fmt.Fprintf(&page, "\nincomplete: %v\n", err)
	}
	return page.String()
}

// legend explains what the timeline of these events has.
func (s *Stage) legend(events []Event) string {
	text := "> input, < output"
	if slices.ContainsFunc(events, func(e Event) bool { return e.stream == complained }) {
		text += ", ! standard error kept apart"
	}
	escapes := func(e Event) bool { return e.stream != 0 && strings.Contains(e.What, "\x1b") }
	if slices.ContainsFunc(events, escapes) {
		text += ", without escape sequences: NAME.txt has those of a terminal"
	}
	prompts := func(e Event) bool { return e.stream == shown && strings.Contains(e.What, s.mark) }
	if slices.ContainsFunc(events, prompts) {
		text += ", {0} the prompt with the last status"
	}
	return text
}

// Failed adds a failure to the timeline. A suite calls it from its fail handler, so
// that the timeline has the moment and the message. With package testing a test calls it
// beside t.Error, which the stage does not see. The receiver may be nil.
func (s *Stage) Failed(message string) {
	if s != nil {
		s.failed.Store(true)
		s.Logf("%s", strings.TrimSpace("FAILED "+message))
	}
}

// now writes which processes live at this moment: by the oracles, by the process table,
// and by the events of observers.
func (s *Stage) now(page *strings.Builder, events []Event) {
	fmt.Fprintf(page, "\n  oracles: does a process of the tree hold its descriptor 3?\n")
	state := map[bool]string{true: "a process holds descriptor 3", false: "no process holds descriptor 3"}
	for _, t := range s.trees.list() {
		if t.oracle != nil {
			fmt.Fprintf(page, "  %-16s %s\n", t.name, state[t.oracle.holds()])
		}
	}
	if s.before != "" {
		page.WriteString(s.before)
	} else {
		forest, err := s.forest(believed(events))
		fmt.Fprintf(page, "\n  processes now\n%s", forest)
		if err != nil {
			fmt.Fprintf(page, "  %v\n", err)
		}
	}
	for _, j := range s.jobs.list() {
		page.WriteString(j.writings())
	}
}

// believed returns, by PID, the tracks by whose events the process is alive.
func believed(events []Event) map[int][]string {
	alive := map[int][]string{}
	for _, e := range events {
		tracks := alive[e.PID]
		switch e.Life {
		case Begins:
			alive[e.PID] = append(tracks, e.Track)
		case Ends:
			for i := range tracks {
				if tracks[i] == e.Track {
					alive[e.PID] = append(tracks[:i:i], tracks[i+1:]...)
					break
				}
			}
		}
	}
	return alive
}

// keepReport writes the files of the report.
func (s *Stage) keepReport(dir, text string, events []Event) error {
	files := map[string][]byte{"report.txt": []byte(text)}
	var errs []error
	var err error
	about := map[string]any{"spec": nameOf(s.t), "replay": replay(s.t)}
	if files["trace.json"], err = traceJSON(events, s.timeline.began, about); err != nil {
		errs = append(errs, err)
	}
	for _, t := range s.terminals.list() {
		errs = append(errs, t.files(files))
	}
	for name, content := range files {
		errs = append(errs, os.WriteFile(filepath.Join(dir, name), content, 0o644))
	}
	return errors.Join(errs...)
}
