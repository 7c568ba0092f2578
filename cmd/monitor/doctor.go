package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/gemini-monitor/gemini/internal/checkup"
	"github.com/gemini-monitor/gemini/internal/origin"
	"github.com/gemini-monitor/gemini/monitor"
)

func newDoctor(g *global) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Show what a monitor can rely on here, and what would change it",
		Long: `doctor shows how processes are followed here and what can be missed, the limits that
will bite, the store with its runtimes, and the resident monitor. Each line begins with
  ok        as the README says
  note      no promise is weaker, but it is worth knowing
  weaker    a promise of the README does not hold here in full
  refused   no runtime can be made here
It starts nothing, changes nothing, and takes some seconds at most.

Exit codes: 0 all promises hold here, 1 a line is weaker or refused.`,
		Example: `  monitor doctor
  monitor doctor --store /var/lib/ci/monitor
  monitor doctor --json`,
		Args: arguments(0, 0, "no argument"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			found := g.examine(cmd.Context())
			var err error
			if asJSON {
				err = printJSON(cmd.OutOrStdout(), found)
			} else {
				err = printExamination(cmd.OutOrStdout(), found)
			}
			if err != nil {
				return err
			}
			return found.failure()
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// An examination is what doctor prints as JSON.
type examination struct {
	Version   string            `json:"version"`
	System    string            `json:"system"`
	Mechanism string            `json:"mechanism,omitempty"`
	Store     string            `json:"store,omitempty"`
	Holds     bool              `json:"holds"`
	Findings  []checkup.Finding `json:"findings"`
}

// examine asks all questions.
func (g *global) examine(ctx context.Context) examination {
	_, unknown := origin.AtStart()
	facts := checkup.Gather(ctx, checkup.Options{
		Program: checkup.Program{Version: moduleVersion(), Build: build(), Signals: unknown},
		Open:    g.open,
		Dir:     cmp.Or(g.store, os.Getenv(monitor.EnvStore)),
		Alone:   g.alone || os.Getenv(envResident) == "no",
		Outer:   os.Getenv(monitor.EnvStore), Patience: g.patience,
	})
	findings := checkup.Judge(facts)
	return examination{
		Version: facts.Program.Version, System: runtime.GOOS + "/" + runtime.GOARCH,
		Mechanism: string(facts.Tracking.Mechanism), Store: facts.Store.Dir,
		Holds: len(checkup.Failed(findings, checkup.Weaker)) == 0 && len(checkup.Failed(findings, checkup.Refused)) == 0, Findings: findings,
	}
}

// build returns what the program was made by and for.
func build() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return runtime.GOOS + "/" + runtime.GOARCH
	}
	return fmt.Sprintf("%s %s/%s", info.GoVersion, runtime.GOOS, runtime.GOARCH)
}

// failure returns which promises do not hold, or nil.
func (e examination) failure() error {
	var parts []string
	if refused := checkup.Failed(e.Findings, checkup.Refused); len(refused) > 0 {
		parts = append(parts, "no runtime can be made here: "+strings.Join(refused, ", "))
	}
	if weaker := checkup.Failed(e.Findings, checkup.Weaker); len(weaker) > 0 {
		parts = append(parts, "weaker here than the README says: "+strings.Join(weaker, ", "))
	}
	if len(parts) == 0 {
		return nil
	}
	return errors.New(strings.Join(parts, "; "))
}

// The columns of a finding.
const (
	wordWidth    = 9
	subjectWidth = 16
	lineWidth    = 80
)

// printExamination prints each finding as a block of lines: what is so, what follows, and what
// would change it.
func printExamination(out io.Writer, e examination) error {
	var page strings.Builder
	for _, c := range e.Findings {
		head := fmt.Sprintf("%-*s%-*s", wordWidth, c.Word, subjectWidth, c.Subject)
		block(&page, head, c.Is)
		block(&page, "", labelled("so: ", c.Follows))
		block(&page, "", labelled("to change it: ", c.Change))
	}
	if e.Holds {
		page.WriteString("\nAll promises of the README hold here.\n")
	}
	_, err := io.WriteString(out, page.String())
	return err
}

func labelled(label, text string) string {
	if text == "" {
		return ""
	}
	return label + text
}

// block writes a text in lines of words, the first of which begins with head. A word that
// is longer than a line is not cut: it may be a path.
func block(page *strings.Builder, head, text string) {
	if text == "" {
		return
	}
	const indent = wordWidth + subjectWidth
	line := fmt.Sprintf("%-*s", indent, head)
	begun := false
	for word := range strings.FieldsSeq(plain(text)) {
		if begun && utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > lineWidth {
			page.WriteString(line + "\n")
			line, begun = strings.Repeat(" ", indent), false
		}
		if begun {
			line += " "
		}
		line, begun = line+word, true
	}
	page.WriteString(line + "\n")
}
