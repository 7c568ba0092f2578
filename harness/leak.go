//go:build darwin || linux

package harness

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"runtime"
	"strings"
)

// A place is a line of a test.
type place struct {
	file string
	line int
}

// caller returns the line outside of the harness that has called it.
func caller() place {
	var counters [32]uintptr
	frames := runtime.CallersFrames(counters[:runtime.Callers(2, counters[:])])
	for {
		frame, more := frames.Next()
		if !ofHarness(frame.Function) {
			return place{frame.File, frame.Line}
		}
		if !more {
			return place{}
		}
	}
}

// panicking reports whether the calling goroutine runs deferred functions because of a panic,
// and returns the line that has panicked. Package testing calls the clean-ups of a test that
// panics so, before it marks the test as failed: the frames of the panic are below them.
func panicking() (at place, panics bool) {
	var counters [100]uintptr
	frames := runtime.CallersFrames(counters[:runtime.Callers(2, counters[:])])
	for {
		frame, more := frames.Next()
		switch {
		case frame.Function == "runtime.gopanic":
			panics = true
		case panics && !strings.HasPrefix(frame.Function, "runtime."):
			return place{frame.File, frame.Line}, true
		}
		if !more {
			return place{}, panics
		}
	}
}

// ofHarness reports whether a function is one of the harness, not of its specs or examples.
func ofHarness(function string) bool {
	const module = "github.com/gemini-monitor/gemini/harness"
	return strings.HasPrefix(function, module+".") || strings.HasPrefix(function, module+"/play.")
}

// String returns the line as package testing shows it.
func (p place) String() string { return fmt.Sprintf("%s:%d", filepath.Base(p.file), p.line) }

// A leak is a process, or another thing, that a test has left behind.
type leak struct {
	tree *tree  // from which it comes; nil if that is not known
	pid  int    // 0 for what is not in the process table
	text string // what it is
}

// line returns the leak with the command from which it comes and the line that started it.
func (l leak) line(t T) string {
	if l.tree == nil {
		if l.pid != 0 {
			return "process " + l.text
		}
		return l.text
	}
	at := l.tree.at.String()
	if isGinkgo(t) { // which shows whole paths
		at = fmt.Sprintf("%s:%d", l.tree.at.file, l.tree.at.line)
	}
	return fmt.Sprintf("%s (%s, %s) left %s", l.tree.name, brief(join(l.tree.process.words), 60), at, l.text)
}

// linesOf returns a line for each leak.
func linesOf(leaks []leak, t T) string {
	var lines []string
	for _, l := range leaks {
		lines = append(lines, l.line(t))
	}
	return strings.Join(lines, "\n")
}

const (
	leftBehind = "the test left something behind:\n"
	// alsoLeft is about a test that has failed before.
	alsoLeft = "the failed test also left something behind:\n"
)

// A printingT prints text without the line that calls it, and fails without text.
type printingT interface {
	Output() io.Writer
	Fail()
}

// printing returns a *testing.T or *testing.B. Ginkgo's types have these methods too, but
// Fail ends what calls it there.
func printing(t T) (printingT, bool) {
	switch fmt.Sprintf("%T", t) {
	case "*testing.T", "*testing.B":
		p, ok := t.(printingT)
		return p, ok
	}
	return nil, false
}

// accuse fails the test at the line of each Start, Terminal or Run that has left
// something, or at the line of New where none is known. It returns those leaks that the
// end of the test has to report: its T has one message, or ends the clean-up by it.
func (s *Stage) accuse(leaks []leak) (later []leak) {
	s.t.Helper()
	t, prints := printing(s.t)
	if !prints {
		return leaks
	}
	for _, group := range byPlace(leaks) {
		lines := linesOf(group, s.t)
		if group[0].tree == nil {
			s.t.Errorf("%s%s", leftBehind, lines)
			continue
		}
		fmt.Fprintf(t.Output(), "%s: %s    %s\n", group[0].tree.at, leftBehind, strings.ReplaceAll(lines, "\n", "\n    "))
		t.Fail()
	}
	return nil
}

// byPlace returns the leaks in groups: those of one line that started something, in the
// order of their first ones.
func byPlace(leaks []leak) (groups [][]leak) {
	index := map[place]int{}
	for _, l := range leaks {
		var at place
		if l.tree != nil {
			at = l.tree.at
		}
		i, known := index[at]
		if !known {
			i = len(groups)
			index[at], groups = i, append(groups, nil)
		}
		groups[i] = append(groups[i], l)
	}
	return groups
}

// mention adds to a test that has failed already what it has left behind.
func (s *Stage) mention(leaks []leak) {
	s.t.Helper()
	if len(leaks) == 0 {
		return
	}
	lines := linesOf(leaks, s.t)
	if t, ok := s.t.(ginkgoT); ok {
		t.AddReportEntryVisibilityFailureOrVerbose("left behind", alsoLeft+lines)
	} else {
		s.t.Logf("%s%s", alsoLeft, lines)
	}
}

// strikeAtEnd makes the end of the test clear the stage. Ginkgo shows an error that a
// clean-up returns at the line that registered it, and one that a clean-up reports itself
// at a line of package reflect.
func (s *Stage) strikeAtEnd() {
	s.t.Helper()
	if t, ok := s.t.(ginkgoT); ok {
		t.DeferCleanup(func() error {
			if text := s.strike(); text != "" {
				return errors.New(text)
			}
			return nil
		})
		return
	}
	s.t.Cleanup(func() {
		s.t.Helper()
		if text := s.strike(); text != "" {
			s.t.Errorf("%s", text)
		}
	})
}
