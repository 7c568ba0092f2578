package monitor

import (
	_ "embed"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"regexp"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// The sources are in the test binary, which also runs where they are not.
var (
	//go:embed life.go
	lifeSource string
	//go:embed life.mmd
	lifeDrawing string // make docs-check compares docs/life.md with it
)

// watchedPhases is what the table and the drawing call "watched".
var watchedPhases = []phase{following, blind, checking, asking, waiting, hooking, stuck}

// An edge is written "phase event next".
func edgeOf(from, event, to string) string { return fmt.Sprintf("%-10s %-14s %s", from, event, to) }

// edges writes one line of the table or the drawing as edges.
func edges(from string, events []string, to string) (all []string) {
	phases := []string{from}
	if from == "watched" {
		phases = nil
		for _, p := range watchedPhases {
			phases = append(phases, p.String())
		}
	}
	for _, p := range phases {
		for _, e := range events {
			all = append(all, edgeOf(p, strings.TrimSpace(e), to))
		}
	}
	return all
}

// documented returns the edges of the table in the doc comment of life.
func documented() (all []string) {
	GinkgoHelper()
	file, err := parser.ParseFile(token.NewFileSet(), "life.go", lifeSource, parser.ParseComments)
	Expect(err).NotTo(HaveOccurred())
	var doc string
	for _, d := range file.Decls {
		if g, ok := d.(*ast.GenDecl); ok && g.Tok == token.TYPE && g.Specs[0].(*ast.TypeSpec).Name.Name == "life" {
			doc = g.Doc.Text()
		}
	}
	row := regexp.MustCompile(`(?m)^\t(\w+) {2,}(\w+(?: \w+)*) {2,}(\w+) {2,}\S`)
	for _, m := range row.FindAllStringSubmatch(doc, -1) {
		if m[1] != "phase" {
			all = append(all, edges(m[1], []string{m[2]}, m[3])...)
		}
	}
	return all
}

// drawn returns the edges of the drawing.
func drawn() (all []string) {
	arrow := regexp.MustCompile(`(?m)^\s*(\w+) --> (\w+) : (.+)$`)
	for _, m := range arrow.FindAllStringSubmatch(lifeDrawing, -1) {
		all = append(all, edges(m[1], strings.Split(m[3], ","), m[2])...)
	}
	return all
}

// possible reports whether a driver may report an event to a life.
func possible(l life, e eventKind) bool {
	switch e {
	case begin, beginAgain:
		return false
	case alive, vacant, unchecked:
		return l.table != unaskedYet
	case free, held, unasked, unsettled:
		return l.lease != unaskedYet
	case removed, unremoved:
		return l.phase == removing
	case idled, unidled:
		return l.phase == idling
	case hooked, unhooked:
		return l.hook == hookRuns
	case forgone:
		return l.phase != attaching && l.phase != returning
	case members, emptied, unreadable, readable, noted, released, unmounted, look, retry:
		return l.phase != attaching && l.phase != returning && l.phase != removing && l.phase != idling
	}
	return true
}

// nameOf is the name of an event for a life: an answer may be outdated.
func nameOf(l life, e eventKind) string {
	switch e {
	case alive, vacant, unchecked:
		if l.phase == checking && l.table == outdated {
			return "outdated"
		}
	case free, held, unasked, unsettled:
		switch {
		case l.phase == asking && l.lease == outdated:
			return "outdated"
		case l.phase == asking && e == free && (l.hook == hookDue || l.hook == hookRuns):
			return "free to hook"
		case l.phase == asking && e == free && l.durable:
			return "free to idle"
		}
	}
	return e.String()
}

// matters reports whether a step is an edge: the phase or a question changes, or
// one is asked.
func matters(before, after life, acts []act) bool {
	asks := slices.ContainsFunc(acts, func(a act) bool { return a.kind == askLease || a.kind == checkTable })
	overtaken := before.lease != after.lease && after.lease == outdated || before.table != after.table && after.table == outdated
	return before.phase != after.phase || asks || overtaken
}

// bare leaves out the books and the patience of a life, on which no edge depends.
func bare(l life) life {
	return life{phase: l.phase, lease: l.lease, table: l.table, hook: l.hook, durable: l.durable}
}

// reached returns the edges of all lives that any events lead to.
func reached() []string {
	all := make(map[string]bool)
	seen, next := map[life]bool{}, []life{}
	for _, first := range []life{{}, {hook: hookDue}, {durable: true}, {hook: hookDue, durable: true}} {
		for _, kind := range []eventKind{begin, beginAgain} {
			l := first
			l.step(event{kind: kind})
			l = bare(l)
			seen[l], next = true, append(next, l)
		}
	}
	for len(next) > 0 {
		l := next[0]
		next = next[1:]
		for e := range eventKind(len(eventNames)) {
			if l.phase == over || !possible(l, e) {
				continue
			}
			after := l
			acts := after.step(event{kind: e, reason: "why"})
			if matters(l, after, acts) {
				all[edgeOf(l.phase.String(), nameOf(l, e), after.phase.String())] = true
			}
			if after = bare(after); !seen[after] {
				seen[after] = true
				next = append(next, after)
			}
		}
	}
	return slices.Sorted(maps.Keys(all))
}

var _ = Describe("The edges of a life", func() {
	sorted := func(edges []string) []string {
		slices.Sort(edges)
		return slices.Compact(edges)
	}

	It("are those of the table in its doc comment, no more and no less", func() {
		Expect(len(reached())).To(BeNumerically(">", 30))
		Expect(sorted(documented())).To(Equal(reached()))
	})

	It("are those of the drawing in docs", func() {
		Expect(sorted(drawn())).To(Equal(reached()))
	})
})
