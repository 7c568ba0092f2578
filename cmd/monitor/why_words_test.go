package main

import (
	"bytes"
	"fmt"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/monitor"
	"github.com/gemini-monitor/gemini/tracker/trees"
)

var _ = Describe("What a user reads of why", func() {
	noon := time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

	link := func(kind trees.LinkKind, through int) trees.Link {
		l := trees.Link{Kind: kind}
		if through != 0 {
			l.Through = identity(through)
		}
		return l
	}
	// via is a process of a chain. It lives if it has a name.
	via := func(pid int, name string, l trees.Link) chainLink {
		return chainLink{Identity: identity(pid), Command: name, Alive: name != "", Link: l}
	}
	explained := func(pid int, l trees.Link, chain ...chainLink) explainedMember {
		return explainedMember{shownMember{member(pid, 1, "sleep", l), detail{Arguments: []string{"sleep", "600"}, Started: noon.Add(-3 * time.Minute)}}, chain}
	}
	of := func(state monitor.State, members ...explainedMember) *explanation {
		w := &explanation{Name: "build", State: state, Members: members, owner: identity(10)}
		if len(members) > 0 {
			w.EndedBy = "monitor stop build"
		}
		return w
	}
	read := func(w *explanation, v view) string {
		GinkgoHelper()
		var out bytes.Buffer
		Expect(printWhy(&out, w, v)).To(Succeed())
		return out.String()
	}

	It("has a line for each member, and how to end the runtime", func() {
		other := explained(12, link(trees.LinkParent, 11), via(11, "", link(trees.LinkParent, 10)), via(10, "bash", theRoot))
		other.User, other.UserName = 502, "alice"
		Expect(read(of(monitor.StateRunning, explained(10, theRoot), other), now(noon))).To(Equal(lines(`
			runtime "build" is running
			10 sleep 600 (3 min): the command
			12 sleep 600 (3 min, alice): child of 11, which was a child of 10 bash, the command
			monitor stop build ends it
			`)))
	})

	DescribeTable("has the chain of links in words", func(words string, m explainedMember) {
		Expect(of(monitor.StateRunning).origin(m)).To(Equal(words))
	},
		Entry("of a child of the command, which has ended", "child of 10, the command", explained(12, link(trees.LinkParent, 10))),
		Entry("of a child of the command, which lives", "child of 10 bash, the command",
			explained(12, link(trees.LinkParent, 10), via(10, "bash", theRoot))),
		Entry("through one that lives", "orphan in the group of 11 sh, which is an orphan made by 10, the command",
			explained(12, link(trees.LinkGroup, 11), via(11, "sh", link(trees.LinkLineage, 10)))),
		Entry("through all kinds", "orphan in the session of 14, which was an orphan in the group of 13, which was an orphan with the mark of the runtime in its environment",
			explained(15, link(trees.LinkSession, 14), via(14, "", link(trees.LinkGroup, 13)), via(13, "", link(trees.LinkMark, 10)))),
		Entry("of one that was known before", "known from before", explained(12, link(trees.LinkKnown, 0))),
		Entry("through one that was known before", "child of 11, which was known from before",
			explained(12, link(trees.LinkParent, 11), via(11, "", link(trees.LinkKnown, 0)))),
		Entry("of one that joined from outside", "joined from outside", explained(12, link(trees.LinkJoin, 0))),
		Entry("through one that joined from outside", "child of 11 sh, which joined from outside",
			explained(12, link(trees.LinkParent, 11), via(11, "sh", link(trees.LinkJoin, 0)))),
		Entry("with a mark", "orphan with the mark of the runtime in its environment", explained(12, link(trees.LinkMark, 10))),
		Entry("that is not known to its end", "child of 12, which was a child of 11, of which no more is known",
			explained(13, link(trees.LinkParent, 12), via(12, "", link(trees.LinkParent, 11)))),
		Entry("of a kind that this program does not know, on one line", `orphan in the a\nb of 11`,
			explained(12, link("a\nb", 11))),
		Entry("with a name that a terminal must not get", `child of 11 \033, which is a child of 10, the command`,
			explained(12, link(trees.LinkParent, 11), via(11, "\x1b", link(trees.LinkParent, 10)))),
	)

	It("tells a long chain in short", func() {
		line := func(length int) (m explainedMember) {
			m = explained(1000, link(trees.LinkParent, 999))
			for i := range length {
				m.Chain = append(m.Chain, via(999-i, "", link(trees.LinkParent, 998-i)))
			}
			m.Chain = append(m.Chain, via(999-length, "", link(trees.LinkParent, 10)), via(10, "bash", theRoot))
			return m
		}
		w := of(monitor.StateRunning)
		Expect(w.origin(line(2))).To(Equal("child of 999, which was a child of 998, which was a child of 997, which was a child of 10 bash, the command"))
		told := w.origin(line(500))
		Expect(told).To(HavePrefix("child of 999, which was a child of 998, "))
		Expect(told).To(HaveSuffix(fmt.Sprintf("which was a child of 992, and so on through %d more, up to 10 bash, the command", 494)))
	})

	DescribeTable("has the state", func(state monitor.State, reason, line string) {
		w := of(state)
		w.Reason = reason
		Expect(read(w, now(noon))).To(HavePrefix(line + "\n"))
	},
		Entry(nil, monitor.StateStarting, "", `runtime "build" is starting: process 10 is about to become its command`),
		Entry(nil, monitor.StateStopping, "", `runtime "build" is stopping: it was found empty, and is being removed`),
		Entry(nil, monitor.StateStopping, "/mnt: a file system is mounted there", `runtime "build" is stopping: /mnt: a file system is mounted there`),
		Entry(nil, monitor.StateRunning, "", `runtime "build" is running: none of its processes is known to live, and its monitor is about to find out`),
		Entry(nil, monitor.StateUnknown, "the\nlease", `runtime "build" is unknown: the\nlease`),
	)

	It("names who holds the lease, and the processes whose end it waits for", func() {
		w := of(monitor.StateUnknown)
		w.Reason, w.sought = "the lease is held", true
		w.Holders = []shownProcess{{member(20, 1, "daemon").Process, detail{Arguments: []string{"daemon", "-f"}, Started: noon.Add(-2 * time.Hour)}}}
		w.Unseen = 3
		Expect(read(w, now(noon))).To(Equal(lines(`
			runtime "build" is unknown: the lease is held
			20 daemon -f (2 h 0 min): holds the lease, and no link leads from it to the runtime
			3 processes may not be looked into, and may hold the lease as well
			it goes when process 20 has ended
			`)))
		w.Holders = append(w.Holders, shownProcess{Process: member(21, 1, "x").Process}, shownProcess{Process: member(22, 1, "y").Process})
		w.Members, w.EndedBy, w.Unseen = []explainedMember{explained(10, theRoot)}, "monitor stop build", 0
		Expect(read(w, now(noon))).To(HaveSuffix("monitor stop build ends its members; it goes when processes 20, 21 and 22 have ended too\n"))
	})

	DescribeTable("says what is not known of the holders", func(change func(*explanation), ending string) {
		w := of(monitor.StateUnknown)
		w.sought = true
		change(w)
		Expect(read(w, now(noon))).To(HaveSuffix("\n" + ending + "\n"))
	},
		Entry("that there is none", func(*explanation) {}, "no process that can be seen here holds the lease"),
		Entry("that one may be", func(w *explanation) { w.Unseen = 1 }, "1 process may not be looked into, and may hold the lease as well"),
		Entry("why they cannot be looked for", func(w *explanation) { w.Unasked = "lsof(8) is not\x1b installed" }, `lsof(8) is not\033 installed`),
		Entry("of a broken runtime", func(w *explanation) { w.place = "/a b" }, "delete '/a b' if it is not needed"),
	)

	It("says since when the members are told to end, and by what", func() {
		w := of(monitor.StateRunning, explained(10, theRoot))
		w.Ending = &monitor.Ending{By: monitor.CauseTimeout, Asked: noon.Add(-5 * time.Second)}
		w.Limits = monitor.Limits{Timeout: monitor.Seconds(time.Minute), Leftovers: true}
		Expect(read(w, now(noon))).To(And(ContainSubstring("\nits members were told to end 5 s ago, by timeout\n"), Not(ContainSubstring("told to end in"))))
	})

	It("says what ends it by itself", func() {
		w := of(monitor.StateRunning, explained(10, theRoot))
		w.created, w.Limits = noon.Add(-time.Minute), monitor.Limits{Timeout: monitor.Seconds(time.Hour), Leftovers: true}
		Expect(read(w, now(noon))).To(HavePrefix(
			"runtime \"build\" is running\nits members are told to end in 59 min, by its time limit\nwhen the command ends, what it leaves is told to end\n10 "))
	})

	It("has command lines of at most half the terminal's width", func() {
		v := now(noon)
		v.width = 30
		m := explained(10, theRoot)
		m.Arguments = []string{"make", "all", "the", "rest", "of", "it"}
		Expect(read(of(monitor.StateRunning, m), v)).To(ContainSubstring("\n10 make all the r… (3 min):\n    the command\n"))
	})
})
