//go:build darwin || linux

package specs_test

import (
	"runtime"
	"slices"
	"syscall"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/harness"
)

// A living tree is a job, a terminal or a shell.
type living interface {
	Alive() harness.Answer
	Members() []harness.Member
	Census() harness.Census
	ExpectNobody()
	PID() int
	Wait() harness.Status
	Signal(syscall.Signal)
	Oracle() *harness.Oracle
}

// trees start a puppet called "root" as each kind of tree.
var trees = map[string]func(stage *harness.Stage) living{
	"job":      func(stage *harness.Stage) living { return stage.Start("puppet", "root") },
	"terminal": func(stage *harness.Stage) living { return stage.Terminal("puppet", "root") },
	"shell":    func(stage *harness.Stage) living { return stage.AtTerminal(harness.Sh, "puppet", "root") },
}

var _ = Describe("The census", func() {
	for kind, start := range trees {
		It("of a "+kind+" has each process and the witness, from the command to the last orphan", func(ctx SpecContext) {
			stage := newStage()
			tree := start(stage)
			root := stage.Puppet("root")
			Expect(tree.Census()).To(And(HaveField("Alive", harness.Yes), HaveField("Witness", "the command is not reaped")))
			child := root.Fork("child")
			leaf := child.DoubleFork("leaf", harness.OwnSession)
			Expect(pidsOf(tree.Members())).To(Equal(slices.Sorted(slices.Values([]int{root.PID(), child.PID(), leaf.PID()}))))
			child.Exit(0)
			root.Reap(child.PID()) // before that it may still be exiting
			root.IgnoreHangup()
			root.Exit(0)
			tree.Wait()
			census := tree.Census()
			Expect(census.Alive).To(Equal(harness.Yes))
			Expect(census.Witness).To(Equal("1 of its processes found"))
			at := leaf.Report()
			Expect(census.Members).To(ConsistOf(And(
				HaveField("PID", leaf.PID()), HaveField("Parent", at.Parent), HaveField("Group", at.Group),
				HaveField("Session", at.Session), HaveField("Command", HaveSuffix("puppet leaf")))))
			Expect(census.String()).To(MatchRegexp(`^yes: 1 of its processes found\n  PID %d, parent %d, group %d, session %d, [RSD]: .*puppet leaf$`,
				leaf.PID(), at.Parent, at.Group, at.Session))
			leaf.Exit(0)
			tree.ExpectNobody()
			Expect(tree.Alive()).To(Equal(harness.No))
			Expect(tree.Census().Members).To(BeEmpty())
		}, SpecTimeout(time.Minute))
	}

	It("has no member of another tree", func(ctx SpecContext) {
		stage := newStage()
		one, two := stage.Start("puppet", "one"), stage.Start("puppet", "two")
		stage.Puppet("one").DoubleFork("leaf of one", harness.OwnSession)
		stage.Puppet("two").DoubleFork("leaf of two", harness.OwnSession)
		Expect(one.Members()).To(HaveEach(HaveField("Command", HaveSuffix("one"))))
		Expect(two.Members()).To(And(HaveLen(2), HaveEach(HaveField("Command", HaveSuffix("two")))))
	}, SpecTimeout(time.Minute))

	It("says which witness has answered no", func(ctx SpecContext) {
		stage := newStage()
		job := stage.Start("true")
		job.ExpectNobody()
		want := "the warden adopts all orphans and has no child"
		if runtime.GOOS == "darwin" {
			want = "no process that began after the tree can belong to it"
		}
		Expect(job.Census()).To(Equal(harness.Census{Alive: harness.No, Witness: want}))
	}, SpecTimeout(time.Minute))

	It("counts a stopped process, and no zombie", func(ctx SpecContext) {
		stage := newStage()
		job := stage.Start("puppet", "root")
		root := stage.Puppet("root")
		child := root.Fork("child")
		child.Stop()
		Expect(job.Members()).To(ContainElement(And(HaveField("PID", child.PID()), HaveField("State", byte('T')))))
		child.Continue()
		child.Exit(3)
		// A puppet has gone when its connection is closed, and may be exiting for a moment then.
		Eventually(ctx, func() []int { return pidsOf(job.Members()) }).Should(Equal([]int{root.PID()}), "the child is not reaped")
		Expect(job.Alive()).To(Equal(harness.Yes))
		Expect(root.Reap(child.PID())).To(Equal(harness.Status{Code: 3}))
		Expect(pidsOf(job.Members())).To(Equal([]int{root.PID()}))
		root.Fork("unreaped").Exit(0)
		root.Exit(0)
		job.ExpectNobody()
	}, SpecTimeout(time.Minute))

	It("does not depend on descriptor 3", func(ctx SpecContext) {
		stage := newStage()
		job := stage.Start("puppet", "root")
		root := stage.Puppet("root")
		root.CloseInherited()
		leaf := root.DoubleFork("leaf", harness.OwnSession)
		root.Exit(0)
		job.ExpectExit(0)
		Expect(job.Oracle().Held()).To(BeFalse())
		Expect(job.Alive()).To(Equal(harness.Yes))
		leaf.Exit(0)
		job.ExpectNobody()
	}, SpecTimeout(time.Minute))

	It("finds a process that only its descriptor shows", func(ctx SpecContext) {
		stage := newStage()
		job := stage.Start("puppet", "lender")
		lender := stage.Puppet("lender")
		lent := lender.Lend() // to this process, which is no member
		lender.Exit(0)
		job.ExpectExit(0)
		if runtime.GOOS == "linux" {
			Expect(job.Alive()).To(Equal(harness.No), "the warden knows that no descendant is left")
		} else {
			Expect(job.Census()).To(Equal(harness.Census{Alive: harness.Yes, Witness: "a process holds descriptor 3"}))
		}
		Expect(lent.Close()).To(Succeed())
		job.ExpectNobody()
	}, SpecTimeout(time.Minute))

	It("is in the failure of ExpectNobody, with the tree", func() {
		var leaf int
		message, report := failing(func(stage *harness.Stage) {
			job := stage.Start("puppet", "root")
			root := stage.Puppet("root")
			leaf = root.DoubleFork("leaf", harness.OwnSession).PID()
			root.Exit(0)
			job.Wait()
			job.Within(50 * time.Millisecond).ExpectNobody()
		})
		Expect(message).To(MatchRegexp(`^job-0: expect that no process of "puppet root" lives: not within 50ms: yes: 1 of its processes found\n  PID %d, parent \d+, .*puppet leaf$`, leaf), "each process once")
		Expect(report).To(ContainSubstring("asked: yes: 1 of its processes found"))
		Eventually(leaf).ShouldNot(live())
	})
})

// pidsOf returns the PIDs of members, in their order.
func pidsOf(members []harness.Member) (pids []int) {
	for _, m := range members {
		pids = append(pids, m.PID)
	}
	return pids
}

var _ = Describe("An answer", func() {
	It("is a word in a failure of Gomega", func() {
		Expect(Equal(harness.No).FailureMessage(harness.Yes)).To(Equal("Expected\n    <harness.Answer>: yes\nto equal\n    <harness.Answer>: no"))
	})
})
