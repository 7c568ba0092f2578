//go:build darwin || linux

package tracker

import (
	"os"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/internal/testproc"
	"github.com/gemini-monitor/gemini/tracker/process"
	"github.com/gemini-monitor/gemini/tracker/trees"
)

var _ = withTracker("A tree from which a process is released", func(open func() *Tracker) {
	released := func(t *Tree) func() []int {
		return func() (pids []int) {
			for _, m := range t.Released() {
				pids = append(pids, m.PID)
			}
			return pids
		}
	}

	It("is empty when all others have ended, and follows what the process makes", func(ctx SpecContext) {
		r := testproc.Perl(4, `
			child {
				POSIX::setsid();
				report("agent $$");
				wait_at(1);
				child { report("late $$"); wait_at(3) };
				wait_at(2)
			};
			report("root $$"); wait_at(0)
		`)
		family := r.Persons(2)
		tree := follow(ctx, open(), r.Pid)
		members(ctx, tree, family["root"], family["agent"])
		agent, err := process.Lookup(family["agent"])
		Expect(err).NotTo(HaveOccurred())
		Expect(tree.Release(agent.Identity)).To(BeTrue())
		Expect(tree.Release(agent.Identity)).To(BeFalse())
		members(ctx, tree, family["root"])
		r.Open(1)
		_, late := r.Person()
		Eventually(ctx, released(tree)).Should(ConsistOf(family["agent"], late))
		ended := ends(ctx, tree, r.Oracle)
		self, err := process.Lookup(os.Getpid())
		Expect(err).NotTo(HaveOccurred())
		Expect(tree.Outside([]process.Process{agent, self})).To(And(HaveKeyWithValue(agent.Identity, true), HaveKeyWithValue(self.Identity, true)))
		root, err := process.Lookup(family["root"])
		Expect(err).NotTo(HaveOccurred())
		Expect(tree.Outside([]process.Process{root})).To(HaveKeyWithValue(root.Identity, false))
		r.Open(0)
		Eventually(ctx, ended).Should(Receive())
		Expect(tree.Verdict()).To(Equal(trees.Empty))
		Expect(released(tree)()).To(ConsistOf(family["agent"], late))
		r.Open(2)
		Eventually(ctx, released(tree)).Should(ConsistOf(late))
		r.Open(3)
		Eventually(ctx, released(tree)).Should(BeEmpty())
	}, testproc.Patience)

	It("refuses what is no member", func(ctx SpecContext) {
		r := testproc.Perl(1, `report("root $$"); wait_at(0)`)
		r.Persons(1)
		tree := follow(ctx, open(), r.Pid)
		self, err := process.Lookup(os.Getpid())
		Expect(err).NotTo(HaveOccurred())
		_, err = tree.Release(self.Identity)
		Expect(err).To(MatchError(ErrNoMember))
		r.Open(0)
	}, testproc.Patience)
})
