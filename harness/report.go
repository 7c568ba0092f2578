//go:build darwin || linux

package harness

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// Ginkgo's tests can be told what to do at the moment of failure, while the
// processes of the spec still live, and keep what is found in their reports.
type ginkgoT interface {
	DeferOnFailure(args ...any)
	AddReportEntryVisibilityFailureOrVerbose(name string, args ...any)
}

// reportFailure has the stage explain itself when the test fails.
func (s *Stage) reportFailure() {
	if t, ok := s.t.(ginkgoT); ok {
		t.DeferOnFailure(func(ctx context.Context) {
			t.AddReportEntryVisibilityFailureOrVerbose("report", s.Report(ctx))
		})
	}
}

// A progressT can be asked, while it runs, how far it is: Ginkgo does so when a
// spec takes long, or when somebody presses ^T.
type progressT interface {
	AttachProgressReporter(func() string) (detach func())
}

// offerProgress has the last events shown to whoever asks.
func (s *Stage) offerProgress() {
	if t, ok := s.t.(progressT); ok {
		s.t.Cleanup(t.AttachProgressReporter(s.progress))
	}
}

// progress is called at any time by another goroutine, and must not block.
func (s *Stage) progress() string {
	const few = 20
	events := s.timeline.merged(nil)
	return writeTimeline(events[max(0, len(events)-few):], s.timeline.began, s.mark)
}

// explain reports a failure that nobody has reported, before the stage is
// cleared. left says that clearing it is what failed.
func (s *Stage) explain(ctx context.Context, left bool) {
	if s.reported || !s.t.Failed() && !left || nameOf(s.t) == "" {
		return
	}
	text := s.Report(ctx)
	if t, ok := s.t.(ginkgoT); ok {
		t.AddReportEntryVisibilityFailureOrVerbose("report", text)
	} else {
		s.t.Logf("%s", text)
	}
}

// Report tells what happened on the stage: all events in order of time, the
// processes that are there now, and on what machine. If the test has a name it
// also keeps this, the timeline as a trace for Perfetto and every terminal as
// an asciicast in a directory of its own, below GEMINI_REPORTS or the out
// directory of the module.
//
// A stage makes a report by itself when its test fails.
func (s *Stage) Report(ctx context.Context) string {
	s.reported = true
	if s.t.Failed() && !s.failed {
		s.Failed("")
	}
	events := s.history()
	var page strings.Builder
	fmt.Fprintf(&page, "spec     %s\nreplay   %s\n%s", nameOf(s.t), replay(s.t), fingerprint(ctx))
	dir, err := s.reportDirectory()
	if dir != "" {
		fmt.Fprintf(&page, "files    %s (trace.json opens in ui.perfetto.dev)\n", dir)
	}
	fmt.Fprintf(&page, "\n  seconds (> typed, < shown, {0} the prompt with the last status)\n%s", writeTimeline(events, s.timeline.began, s.mark))
	s.now(ctx, &page, events)
	if dir != "" {
		err = errors.Join(err, s.keepReport(dir, page.String(), events))
	}
	if err != nil {
		fmt.Fprintf(&page, "\nnot all could be kept: %v\n", err)
	}
	return page.String()
}

// Failed puts a failure into the timeline. A suite whose fail handler calls it
// has moment and message there. It may be called without a stage.
func (s *Stage) Failed(message string) {
	if s != nil {
		s.failed = true
		s.Logf("%s", strings.TrimSpace("FAILED "+message))
	}
}

// now writes who lives at this moment, by the oracles, by ps, and by what
// the monitors believe.
func (s *Stage) now(ctx context.Context, page *strings.Builder, events []Event) {
	fmt.Fprintf(page, "\n  oracles\n")
	state := map[bool]string{true: "a process lives", false: "no process lives"}
	for _, sh := range s.shells {
		fmt.Fprintf(page, "  %-16s %s\n", sh.track.name, state[sh.oracle.holds()])
	}
	for _, j := range s.jobs {
		fmt.Fprintf(page, "  %-16s %s\n", j.track.name, state[j.oracle.holds()])
	}
	forest, err := s.forest(ctx, believed(events))
	fmt.Fprintf(page, "\n  processes now\n%s", forest)
	if err != nil {
		fmt.Fprintf(page, "  %v\n", err)
	}
	for _, j := range s.jobs {
		if text := strings.TrimSpace(j.Output()); text != "" {
			fmt.Fprintf(page, "\n  %s wrote\n%s\n", j.track.name, brief(text, 2000))
		}
	}
}

// believed says of each PID whom the events tell to be alive with it.
func believed(events []Event) map[int][]string {
	alive := map[int][]string{}
	for _, e := range events {
		who := alive[e.PID]
		switch e.Life {
		case Begins:
			alive[e.PID] = append(who, e.Track)
		case Ends:
			for i := range who {
				if who[i] == e.Track {
					alive[e.PID] = append(who[:i:i], who[i+1:]...)
					break
				}
			}
		}
	}
	return alive
}

var unfit = regexp.MustCompile(`[^A-Za-z0-9]+`)

// reportDirectory makes the directory of the report; a test without a name has none.
func (s *Stage) reportDirectory() (string, error) {
	name := strings.Trim(unfit.ReplaceAllString(nameOf(s.t), "-"), "-")
	if name == "" {
		return "", nil
	}
	base := os.Getenv("GEMINI_REPORTS")
	if root := moduleRoot(); base == "" && root != "" {
		base = filepath.Join(root, "out", "failures")
	}
	if base == "" {
		return "", nil
	}
	dir := filepath.Join(base, name[max(0, len(name)-100):]+"-"+s.mark)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("keep the report: %w", err)
	}
	return dir, nil
}

func (s *Stage) keepReport(dir, text string, events []Event) error {
	files := map[string][]byte{"report.txt": []byte(text)}
	var errs []error
	var err error
	about := map[string]any{"spec": nameOf(s.t), "replay": replay(s.t)}
	if files["trace.json"], err = traceJSON(events, s.timeline.began, about); err != nil {
		errs = append(errs, err)
	}
	for _, sh := range s.shells {
		if files[sh.track.name+".cast"], err = sh.terminal.asciicast(sh.track.name); err != nil {
			errs = append(errs, err)
		}
		files[sh.track.name+".txt"] = []byte(sh.Transcript())
	}
	for name, content := range files {
		errs = append(errs, os.WriteFile(filepath.Join(dir, name), content, 0o644))
	}
	return errors.Join(errs...)
}
