package checkup

import (
	"errors"
	"fmt"
	"strings"
)

// Judge returns the findings that the facts lead to. The order is that of the questions which
// a user has: what is followed how, with which limits, in which store, by which monitor.
func Judge(f Facts) (findings []Finding) {
	for _, judge := range []func(Facts) []Finding{
		judgeProgram, judgeTracking, judgeTable, judgeNamespaces, judgeMarks,
		judgeProcesses, judgeFiles, judgeInotify, judgeTime, judgeSize,
		judgeStore, judgeSpace, judgeRuntimes, judgeLogs, judgeUnswept,
		judgeResident, judgeResidentMore, judgeAround, judgeSession,
	} {
		findings = append(findings, judge(f)...)
	}
	return findings
}

// Failed returns the subjects of the findings that failed with a word, each once.
func Failed(findings []Finding, word Word) (subjects []string) {
	seen := make(map[string]bool)
	for _, c := range findings {
		if c.Word == word && c.Failed() && !seen[c.Subject] {
			seen[c.Subject] = true
			subjects = append(subjects, c.Subject)
		}
	}
	return subjects
}

func one(word Word, subject, is, follows, change string) []Finding {
	return []Finding{{word, subject, is, follows, change}}
}

func judgeProgram(f Facts) []Finding {
	is := f.Program.Version + ", " + f.Program.Build
	if f.Kernel.Release != "" {
		is += ", on " + f.Kernel.Release
	}
	if f.Program.Signals != nil && !errors.Is(f.Program.Signals, errors.ErrUnsupported) {
		return one(Note, "program", is+"; a build without symbols",
			"a command loses the signals that its caller ignored or blocked, but for a few",
			"build it without -ldflags=-s")
	}
	return one(OK, "program", is, "", "")
}

// text returns an error as one line.
func text(err error) string { return strings.ReplaceAll(err.Error(), "\n", "; ") }

// few is how many names are listed.
const few = 5

// list returns some of the words, and how many more there are.
func list(words []string) string {
	if len(words) <= few {
		return strings.Join(words, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(words[:few], ", "), len(words)-few)
}

// count returns a number with its noun.
func count(n int, noun string) string {
	switch {
	case n == 1:
	case strings.HasSuffix(noun, "s"):
		noun += "es"
	default:
		noun += "s"
	}
	return fmt.Sprintf("%d %s", n, noun)
}
