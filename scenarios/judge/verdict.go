//go:build darwin || linux

package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/onsi/ginkgo/v2/types"
)

// controls are the mutants without a fault.
var controls = []string{"right", "right-resident"}

// needs has, for a mutant that only some scenarios can kill, the beginning of their
// texts. These scenarios are skipped on some machines.
var needs = map[string]string{
	"bare-pid":        "A stranger with the PID of",
	"believes-sender": "In a container a runtime lives and ends as elsewhere, beside",
}

// mayLive has the reasons why a wrong monitor may survive.
var mayLive = map[string]string{
	// The order of removals, a measure without a clock, does not distinguish it from
	// the control on a loaded machine.
	"late": "it is never wrong, and only a clock shows that it is late: make bench",
}

// caught has the states of a scenario that has found a fault. An interrupted one has
// not.
const caught = types.SpecStateFailed | types.SpecStatePanicked | types.SpecStateTimedout

func (m *mutant) killedBy(scenario string) bool { return m.ended[scenario].Is(caught) }

func (m *mutant) right() bool { return slices.Contains(controls, m.name) }

func (m *mutant) kills() []string {
	var by []string
	for scenario := range m.ended {
		if m.killedBy(scenario) {
			by = append(by, scenario)
		}
	}
	return by
}

// scenarios returns the texts of all scenarios, sorted.
func (t *trial) scenarios() []string {
	var texts []string
	for _, m := range t.mutants {
		for text := range m.ended {
			texts = append(texts, text)
		}
	}
	slices.Sort(texts)
	return slices.Compact(texts)
}

// killed returns the mutants that a scenario kills.
func (t *trial) killed(scenario string) []*mutant {
	return slices.DeleteFunc(slices.Clone(t.mutants), func(m *mutant) bool { return !m.killedBy(scenario) })
}

// skipped reports whether a scenario was skipped for all mutants.
func (t *trial) skipped(scenario string) bool {
	return !slices.ContainsFunc(t.mutants, func(m *mutant) bool {
		state, been := m.ended[scenario]
		return been && state != types.SpecStateSkipped
	})
}

// print draws a line for each scenario and a column for each mutant.
func (t *trial) print(w io.Writer) {
	for i, m := range t.mutants {
		fmt.Fprintf(w, "%c  %-16s %s: %s\n", letter(i), m.name, m.fault, t.fate(m))
	}
	var head strings.Builder
	for i := range t.mutants {
		fmt.Fprintf(&head, "%c ", letter(i))
	}
	fmt.Fprintf(w, "\n%s killed by the scenario (x), %d scenarios\n", head.String(), len(t.scenarios()))
	for _, scenario := range t.scenarios() {
		fmt.Fprintf(w, "%s %s\n", t.row(scenario), scenario)
	}
}

// letter returns one of a to z, then one of A to Z.
func letter(i int) rune {
	if i < 26 {
		return rune('a' + i)
	}
	return rune('A' + i - 26)
}

func (t *trial) row(scenario string) string {
	var row strings.Builder
	for _, m := range t.mutants {
		switch state, been := m.ended[scenario]; {
		case m.killedBy(scenario):
			row.WriteString("x ")
		case !been || state == types.SpecStateSkipped:
			row.WriteString("- ")
		default:
			row.WriteString(". ")
		}
	}
	return row.String()
}

func (t *trial) fate(m *mutant) string {
	by := m.kills()
	switch {
	case len(by) == 0 && mayLive[m.name] != "":
		return "lives, " + mayLive[m.name]
	case len(by) == 0:
		return "lives"
	case len(by) == 1:
		return "killed by one: " + by[0]
	}
	return fmt.Sprintf("killed by %d", len(by))
}

// faults returns what is wrong with the scenarios.
func (t *trial) faults() []string {
	var faults []string
	for _, m := range t.mutants {
		dead := len(m.kills()) > 0
		switch {
		case m.right() && dead:
			faults = append(faults, fmt.Sprintf("%s has no fault and is killed by %q", m.name, m.kills()))
		case !m.right() && !dead && !t.excused(m):
			faults = append(faults, fmt.Sprintf("%s survives: it %s", m.name, m.fault))
		}
	}
	for _, scenario := range t.scenarios() {
		if !t.skipped(scenario) && len(t.killed(scenario)) == 0 {
			faults = append(faults, fmt.Sprintf("%q kills no mutant", scenario))
		}
	}
	return faults
}

// excused reports whether a mutant may survive: by mayLive, or because the scenarios that
// could kill it were skipped.
func (t *trial) excused(m *mutant) bool {
	need, known := needs[m.name]
	return mayLive[m.name] != "" || known && !slices.ContainsFunc(t.scenarios(), func(scenario string) bool {
		return strings.HasPrefix(scenario, need) && !t.skipped(scenario)
	})
}
