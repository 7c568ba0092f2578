package core_test

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	. "github.com/gemini-monitor/gemini/internal/rehearsal"
	"github.com/gemini-monitor/gemini/tracker/process"
	"github.com/gemini-monitor/gemini/tracker/trees"
)

var _ = Describe("The clock that was set back", func() {
	It("does not hide that an orphan is younger than a tree with a mark, where lineage is kept", func() {
		r := New(process.ForksAnnounced)
		r.Environments = map[int][]string{20: {"own"}, 21: {"own"}}
		lineage := func(self uint64) func(*process.Row) {
			return func(p *process.Row) { p.Lineage = process.Lineage{Self: self, Parent: 1} }
		}
		r.Rows[10] = Row(10, 5, 10, 5, lineage(100))
		t := r.Follow(10, trees.History{Members: []process.Identity{Identity(10)}, Marks: []string{"own"}})
		r.Rows[20], r.Rows[21] = Row(20, 1, 20, 20, Born(1), lineage(101)), Row(21, 1, 21, 21, Born(1), lineage(99))
		r.Follower.Recheck(t.Tree)
		r.Run()
		Expect(r.Knows(20)).To(BeTrue())
		Expect(r.Knows(21)).To(BeFalse())
	})
})
