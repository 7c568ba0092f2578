package core_test

import (
	"slices"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/internal/core"
	"github.com/gemini-monitor/gemini/internal/rehearsal"
	"github.com/gemini-monitor/gemini/tracker/process"
	"github.com/gemini-monitor/gemini/tracker/trees"
)

// Each entry adds rows to the cast: 10 is the root, 11 a child with a group of
// its own, 12 one with a session of its own, 5 the terminal's shell. It names
// the evidence by which process 20 is a member, or none.
var whoJoins = []TableEntry{
	Entry("a child of the root", "child of 10", rehearsal.Row(20, 10, 10, 5)),
	Entry("a child that left group and session", "child of 12", rehearsal.Row(20, 12, 20, 20)),
	Entry("a child of a child", "child of 19", rehearsal.Row(19, 11, 11, 5), rehearsal.Row(20, 19, 11, 5)),
	Entry("a traced child, whose debugger is no relative", "child of 10", rehearsal.Row(20, 10, 10, 5, rehearsal.Traced)),
	Entry("an exiting child", "child of 10", rehearsal.Row(20, 10, 10, 0, rehearsal.Exiting)),
	Entry("a child of an exiting process", "child of 19", rehearsal.Row(19, 11, 11, 0, rehearsal.Exiting), rehearsal.Row(20, 19, 11, 5)),
	Entry("an orphan in a group that a member made", "orphan in the group of 11", rehearsal.Row(20, 1, 11, 5)),
	Entry("an orphan in a session that a member made", "orphan in the session of 12", rehearsal.Row(20, 1, 20, 12)),
	Entry("an orphan in the group of a zombie", "orphan in the group of 19",
		rehearsal.Row(19, 11, 19, 5, rehearsal.Zombie), rehearsal.Row(20, 1, 19, 5)),
	Entry("an orphan of an orphan", "child of 19", rehearsal.Row(19, 1, 11, 5), rehearsal.Row(20, 19, 20, 20)),
	Entry("one whose parent is not in the table", "orphan in the group of 11", rehearsal.Row(20, 77, 11, 5)),

	Entry("not a stranger", "", rehearsal.Row(20, 5, 20, 5)),
	Entry("not an orphan in the user's session", "", rehearsal.Row(20, 1, 20, 5)),
	Entry("not an orphan in the shell's group", "", rehearsal.Row(20, 1, 5, 5)),
	Entry("not one in our group whose parent lives", "", rehearsal.Row(20, 5, 11, 5)),
	Entry("not a child of one in our group whose parent lives", "", rehearsal.Row(19, 5, 11, 5), rehearsal.Row(20, 19, 11, 5)),
	Entry("not a leader that a living process of another session made", "", rehearsal.Row(20, 5, 20, 20)),
	Entry("not an orphan in our group that is older than its maker", "", rehearsal.Row(20, 1, 11, 5, rehearsal.Born(1))),
	Entry("not a zombie", "", rehearsal.Row(20, 10, 10, 0, rehearsal.Zombie)),
	Entry("not a child of init in a group that no member made", "", rehearsal.Row(20, 1, 19, 5)),
}

var _ = Describe("Who belongs to a tree", func() {
	joins := func(link string, rows ...process.Row) {
		for _, flavour := range []process.Forks{process.ForksAnnounced, process.ForksNamed, process.ForksUnseen} {
			r := rehearsal.New(flavour)
			for _, p := range rows {
				r.Rows[p.PID] = p
			}
			tree := r.Track(10)
			Expect(rehearsal.Links(tree)[20]).To(Equal(link), "forks are %v", flavour)
			Expect(rehearsal.Links(tree)).NotTo(HaveKey(5))
		}
	}
	DescribeTable("that is there before", joins, whoJoins)

	DescribeTable("that is found later", func(link string, rows ...process.Row) {
		for _, flavour := range []process.Forks{process.ForksAnnounced, process.ForksUnseen} {
			r := rehearsal.New(flavour)
			tree := r.Track(10)
			r.Appears(rows...)
			r.Appears(rehearsal.Row(30, 10, 10, 5)) // whose fork is a reason to read
			Expect(rehearsal.Links(tree)[20]).To(Equal(link), "forks are %v", flavour)
		}
	}, whoJoins)

	DescribeTable("where a notice was lost that would have named it", func(link string, rows ...process.Row) {
		r := rehearsal.New(process.ForksNamed)
		tree := r.Track(10)
		for _, p := range rows {
			r.Rows[p.PID] = p
		}
		r.Posted = append(r.Posted, core.Notice{Lost: true})
		r.Run()
		Expect(rehearsal.Links(tree)[20]).To(Equal(link))
	}, whoJoins)

	It("has the root and all below it as members, each with its evidence", func() {
		tree := rehearsal.New(process.ForksAnnounced).Track(10)
		Expect(rehearsal.Links(tree)).To(Equal(map[int]string{10: "the root", 11: "child of 10", 12: "child of 10"}))
		Expect(tree.Root()).To(Equal(rehearsal.Identity(10)))
	})

	It("finds children in whatever order the table lists them", func() {
		r := rehearsal.New(process.ForksAnnounced)
		for pid := 60; pid > 20; pid-- { // each older in the table's order than its parent
			r.Rows[pid] = rehearsal.Row(pid, pid+1, 10, 5)
		}
		r.Rows[61] = rehearsal.Row(61, 10, 10, 5)
		Expect(r.Track(10).Members()).To(HaveLen(3 + 41))
	})

	It("keeps a link through a member that died a moment ago, whose group seemed to be empty", func() {
		r := rehearsal.New(process.ForksNamed)
		tree := r.Track(10)
		r.Appears(rehearsal.Row(20, 11, 20, 20))
		r.Dies(11)
		// 20 made 30 before it led a session. The notice of that fork was lost.
		r.Rows[30] = rehearsal.Row(30, 1, 11, 5)
		r.Posted = append(r.Posted, core.Notice{Lost: true})
		r.Run()
		Expect(rehearsal.Links(tree)).To(HaveKeyWithValue(30, "orphan in the group of 11"))
	})

	It("keeps a link through a member that died long ago, whose group the last member was in", func() {
		r := rehearsal.New(process.ForksNamed)
		tree := r.Track(10)
		r.Appears(rehearsal.Row(20, 11, 11, 5))
		r.Dies(10, 11, 12)
		r.HappensLater(time.Hour)
		r.Rows[30] = rehearsal.Row(30, 1, 11, 5) // the notice of this fork was lost, and nothing tells so
		r.Dies(20)
		Expect(rehearsal.Links(tree)).To(Equal(map[int]string{30: "orphan in the group of 11"}))
	})

	It("looks for the orphans of a member soon after its death, for their forks may be lost without a word", func() {
		r := rehearsal.New(process.ForksNamed)
		tree := r.Track(10)
		reads := r.Reads
		r.Rows[30] = rehearsal.Row(30, 1, 11, 5)
		r.Dies(11)
		Expect(rehearsal.Links(tree)).To(HaveKeyWithValue(30, "orphan in the group of 11"))
		Expect(r.Reads).To(BeNumerically(">", reads))
	})

	DescribeTable("keeps links through members that died", func(flavour process.Forks) {
		r := rehearsal.New(flavour)
		tree := r.Track(10)
		r.Appears(rehearsal.Row(20, 11, 11, 5), rehearsal.Row(21, 12, 12, 12))
		r.Dies(11, 12)
		Expect(rehearsal.Links(tree)).To(Equal(map[int]string{10: "the root", 20: "child of 11", 21: "child of 12"}))
		r.Dies(10)
		Expect(rehearsal.Verdict(tree)).To(Equal(trees.Alive))
		// No read or notice showed these being made: they are known by the groups that the dead left.
		r.Rows[30], r.Rows[31] = rehearsal.Row(30, 1, 11, 5), rehearsal.Row(31, 1, 31, 12)
		r.Posted = append(r.Posted, core.Notice{Lost: flavour == process.ForksNamed, PID: 20, Events: process.Forked})
		r.Run()
		Expect(rehearsal.Links(tree)).To(And(
			HaveKeyWithValue(30, "orphan in the group of 11"), HaveKeyWithValue(31, "orphan in the session of 12")))
		r.Dies(20, 21, 30)
		Expect(rehearsal.Verdict(tree)).To(Equal(trees.Alive))
		r.Dies(31)
		Expect(rehearsal.Verdict(tree)).To(Equal(trees.Empty))
	},
		Entry("where forks are announced", process.ForksAnnounced),
		Entry("where forks are named", process.ForksNamed),
		Entry("where forks are unseen", process.ForksUnseen),
	)

	It("that a living process of another session is the parent of was adopted, which only Linux has", func() {
		for flavour, link := range map[process.Forks]string{
			process.ForksNamed: "orphan in the session of 12", process.ForksUnseen: "orphan in the session of 12",
			// Here the parent left the session after it had made the child.
			process.ForksAnnounced: "",
		} {
			r := rehearsal.New(flavour)
			r.Rows[20] = rehearsal.Row(20, 5, 20, 12)
			Expect(rehearsal.Links(r.Track(10))[20]).To(Equal(link), "forks are %v", flavour)
		}
	})

	It("links no process through a PID that is another's now", func() {
		r := rehearsal.New(process.ForksAnnounced)
		tree := r.Track(10)
		r.Dies(11)
		r.Replaces(rehearsal.Row(11, 5, 5, 5, rehearsal.Born(5000)))
		r.Appears(rehearsal.Row(20, 11, 5, 5, rehearsal.Born(6000)), rehearsal.Row(21, 1, 11, 5, rehearsal.Born(6000)), rehearsal.Row(30, 10, 10, 5))
		Expect(rehearsal.Links(tree)).To(Equal(map[int]string{10: "the root", 12: "child of 10", 30: "child of 10"}))
	})

	It("is never the process in which the tracker runs, nor what it starts", func() {
		r := rehearsal.New(process.ForksAnnounced)
		r.Rows[rehearsal.OwnPID] = rehearsal.Row(rehearsal.OwnPID, 10, 10, 5)
		r.Appears(rehearsal.Row(20, rehearsal.OwnPID, 10, 5))
		tree := r.Track(10)
		Expect(rehearsal.Links(tree)).NotTo(Or(HaveKey(rehearsal.OwnPID), HaveKey(20)))
	})

	It("is none that this process has started for itself, also where it was a member before, but each other child", func() {
		r := rehearsal.New(process.ForksAnnounced)
		r.Follower.Apart([]process.Identity{rehearsal.Identity(20)})
		r.Rows[rehearsal.OwnPID] = rehearsal.Row(rehearsal.OwnPID, 10, 10, 5)
		r.Rows[20] = rehearsal.Row(20, rehearsal.OwnPID, 20, 20)
		r.Rows[21] = rehearsal.Row(21, rehearsal.OwnPID, 10, 5)
		tree := r.Resume(10, rehearsal.OwnPID)
		Expect(rehearsal.Links(tree)).To(And(HaveKey(21), Not(HaveKey(20))))
		r.Dies(10, 11, 12, 21)
		Expect(rehearsal.Verdict(tree)).To(Equal(trees.Empty))
	})

	It("is a later process with the PID of one that this process has started for itself", func() {
		r := rehearsal.New(process.ForksAnnounced)
		r.Follower.Apart([]process.Identity{rehearsal.Identity(20)})
		tree := r.Track(10)
		r.Appears(rehearsal.Row(20, 10, 10, 5, rehearsal.Born(5000)))
		Expect(rehearsal.Links(tree)).To(HaveKey(20))
	})

	It("takes over what changes about a member", func() {
		r := rehearsal.New(process.ForksAnnounced)
		tree := r.Track(10)
		moved := rehearsal.Row(11, 10, 77, 5)
		moved.Command = rehearsal.Name("new")
		moved.State = process.Stopped
		r.Replaces(moved)
		r.Appears(rehearsal.Row(20, 10, 10, 5))
		i := slices.IndexFunc(tree.Members(), func(m trees.Member) bool { return m.PID == 11 })
		Expect(tree.Members()[i].Process).To(Equal(moved.Process))
	})

	It("keeps the session of a process whose exit has begun", func() {
		r := rehearsal.New(process.ForksAnnounced)
		tree := r.Track(10)
		r.Replaces(rehearsal.Row(12, 10, 12, 0, rehearsal.Exiting))
		r.Appears(rehearsal.Row(20, 10, 10, 5))
		i := slices.IndexFunc(tree.Members(), func(m trees.Member) bool { return m.PID == 12 })
		Expect(tree.Members()[i].Session).To(Equal(12))
	})
})
