package core_test

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	. "github.com/gemini-monitor/gemini/internal/rehearsal"
	"github.com/gemini-monitor/gemini/tracker/process"
	"github.com/gemini-monitor/gemini/tracker/trees"
)

var _ = Describe("A copy of the mark", func() {
	// 8 is a service manager, or an editor's server, that is no member and lives. 20 is what it
	// has started with the variable.
	const own = "own"
	var r *Rehearsal
	counts := func(rows ...process.Row) bool {
		GinkgoHelper()
		r.Rows[8] = Row(8, 1, 8, 8)
		t := r.Follow(10, trees.History{Members: []process.Identity{Identity(10)}, Marks: []string{own}})
		var pids []int
		for _, row := range rows {
			pids = append(pids, row.PID)
			r.Environments[row.PID], r.Rows[row.PID] = []string{own}, row
		}
		r.Follower.Recheck(t.Tree)
		r.Run()
		r.Dies(10, 11, 12)
		if len(t.Members()) == 0 {
			Expect(Verdict(t)).To(Equal(trees.Empty))
			return false
		}
		Expect(t.Members()).To(HaveLen(len(rows)))
		Expect(Verdict(t)).To(Equal(trees.Alive))
		r.Dies(pids...)
		Expect(Verdict(t)).To(Equal(trees.Empty))
		return true
	}

	for _, flavour := range []process.Forks{process.ForksUnseen, process.ForksAnnounced} {
		Context("where forks are "+flavour.String(), func() {
			BeforeEach(func() {
				r = New(flavour)
				r.Environments = make(map[int][]string)
			})

			It("does not make a member of a service that its manager has started", func() {
				Expect(counts(Row(20, 8, 20, 20))).To(BeFalse())
				Expect(r.Asked).To(BeEmpty())
			})

			It("does not make a member of what a service has started", func() {
				Expect(counts(Row(20, 8, 20, 20), Row(21, 20, 20, 20))).To(BeFalse())
				Expect(r.Asked).To(BeEmpty())
			})

			It("makes a member of a daemon whose service has ended: late is better than early", func() {
				Expect(counts(Row(20, 1, 19, 19))).To(BeTrue())
			})

			It("makes a member of an editor's server that carries it itself, when that is an orphan, and of what it starts for its clients", func() {
				Expect(counts(Row(20, 1, 20, 20), Row(21, 20, 20, 20))).To(BeTrue())
			})
		})
	}

	// The manager is a child subreaper, as that of systemd for a user is. The table does not show
	// whether it is an ancestor of the runtime too, whose daemons it adopts then.
	Context("where a manager adopts the orphans of its services", func() {
		BeforeEach(func() {
			r = New(process.ForksUnseen)
			r.Environments = make(map[int][]string)
		})

		It("makes a member of a daemon that leads no session: late is better than early", func() {
			Expect(counts(Row(20, 8, 19, 19))).To(BeTrue())
		})

		It("does not make a member of a daemon that leads its session: it looks like a service", func() {
			Expect(counts(Row(20, 8, 20, 20))).To(BeFalse())
			Expect(r.Asked).To(BeEmpty())
		})
	})
})
