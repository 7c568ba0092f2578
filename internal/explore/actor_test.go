package explore

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/internal/simkernel"
	"github.com/gemini-monitor/gemini/tracker/trees"
)

// A janitor removes something when the tree is empty, or too early: when the root has
// left. Before it does, it has the table read anew.
type janitor struct {
	run     *Run
	hasty   bool
	checks  bool
	removed bool
}

func (j *janitor) Ready() bool {
	return !j.removed && (j.checks && j.run.Checked() || !j.checks && j.run.HasChanges())
}

func (j *janitor) Step() {
	if j.checks {
		v, _ := j.run.Verdict()
		j.checks, j.removed = false, v == trees.Empty
	}
	for _, change := range j.run.Changes() {
		switch {
		case change.Kind == trees.Emptied:
			j.checks = true
			j.run.Recheck()
		case j.hasty && change.Kind == trees.Left && change.Member.PID == j.run.Kernel.Owner().PID:
			j.removed = true
		}
	}
	if j.removed && j.run.Kernel.Living() > 0 {
		j.run.Fail("removed under a living process")
	}
}

func (j *janitor) Finish() string {
	if !j.removed && j.run.Kernel.Living() == 0 {
		return "never removed"
	}
	return ""
}

func (j *janitor) Clone(r *Run) Actor { n := *j; n.run = r; return &n }

func (j *janitor) AppendState(text []byte) []byte {
	for _, flag := range []bool{j.checks, j.removed} {
		if flag {
			text = append(text, 'y')
		} else {
			text = append(text, 'n')
		}
	}
	return text
}

var _ = Describe("An actor beside the tracker", Label("explore"), func() {
	visit := func(hasty bool, flavour simkernel.Flavour) Findings {
		return EveryOrder(Case{Name: "janitor", Root: program{fork("B")},
			Actor: func(r *Run) Actor { return &janitor{run: r, hasty: hasty} }}, flavour)
	}
	for _, flavour := range simkernel.Flavours {
		It("takes part in every order where forks are "+flavour.String(), func() {
			found := visit(false, flavour)
			Expect(found.Failure).To(BeEmpty(), "%v", found.Story)
			Expect(found.TooLarge).To(BeFalse())
			Expect(found.States).To(BeNumerically(">", EveryOrder(Case{Name: "alone", Root: program{fork("B")}}, flavour).States))
		})

		It("is caught when it acts too early, where forks are "+flavour.String(), func() {
			Expect(visit(true, flavour).Failure).To(Equal("removed under a living process"))
		})
	}
})
