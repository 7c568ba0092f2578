package main

import (
	"bytes"
	"slices"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/tracker/process"
	"github.com/gemini-monitor/gemini/tracker/trees"
)

func draw(members ...trees.Member) string {
	GinkgoHelper()
	var shown []shownMember
	for _, m := range members {
		shown = append(shown, shownMember{Member: m})
	}
	return drawn(now(time.Now()), shown...)
}

func drawn(v view, members ...shownMember) string {
	GinkgoHelper()
	var out bytes.Buffer
	Expect(printTree(&out, members, v)).To(Succeed())
	return out.String()
}

var _ = Describe("A drawing of members", func() {
	It("is empty without members", func() {
		Expect(draw()).To(BeEmpty())
	})

	It("has each below its parent, in the order given", func() {
		Expect(draw(
			member(10, 5, "bash", theRoot),
			member(11, 10, "make"),
			member(12, 11, "cc"),
			member(13, 11, "cc"),
			member(14, 13, "as"),
			member(15, 10, "sleep"),
		)).To(Equal(lines(`
			10 bash
			├─ 11 make
			│  ├─ 12 cc
			│  └─ 13 cc
			│     └─ 14 as
			└─ 15 sleep
			`)))
	})

	It("has an orphan below the member that its link leads to, with the link", func() {
		Expect(draw(
			member(10, 5, "bash", theRoot),
			member(11, 1, "sleep", trees.Link{Kind: trees.LinkGroup, Through: identity(10)}),
			member(12, 1, "daemon", trees.Link{Kind: trees.LinkSession, Through: identity(10)}),
			member(13, 1, "job"), // a child of 1 by its link, which is no member
		)).To(Equal(lines(`
			10 bash
			├─ 11 sleep, joined as orphan in the group of 10
			└─ 12 daemon, joined as orphan in the session of 10
			13 job
			`)))
	})

	It("has an orphan at the top where the process that its link leads to has gone", func() {
		Expect(draw(
			member(11, 1, "sleep", trees.Link{Kind: trees.LinkParent, Through: identity(10)}),
			member(12, 1, "daemon", trees.Link{Kind: trees.LinkSession, Through: identity(10)}),
			member(13, 12, "worker"),
		)).To(Equal(lines(`
			11 sleep, joined as child of 10
			12 daemon, joined as orphan in the session of 10
			└─ 13 worker
			`)))
	})

	It("has the state of a member that does not run, and what was known before", func() {
		stopped := member(10, 5, "vi", theRoot)
		stopped.State = process.Stopped
		exiting := member(11, 10, "cp", trees.Link{Kind: trees.LinkKnown})
		exiting.State = process.Exiting
		Expect(draw(stopped, exiting)).To(Equal(lines(`
			10 vi (stopped)
			└─ 11 cp (exiting), joined as known from before
			`)))
	})

	It("has the command line, the age, and the user if it is another one", func() {
		noon := time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
		root := shownMember{member(10, 5, "bash", theRoot), detail{Arguments: []string{"bash", "-c", "sleep 1"}, Started: noon.Add(-time.Hour)}}
		other := shownMember{member(11, 1, "sleep", trees.Link{Kind: trees.LinkGroup, Through: identity(10)}),
			detail{Arguments: []string{"sleep", "\xff"}, Cut: true, Started: noon.Add(-3 * time.Minute), UserName: "alice"}}
		other.User, other.State = 502, process.Stopped
		nameless, hidden := other, other
		nameless.UserName, hidden.Start = "", 0
		hidden.Started = time.Time{}
		Expect(drawn(now(noon), root, other, nameless, hidden)).To(Equal(lines(`
			10 bash -c 'sleep 1' (1 h 0 min)
			├─ 11 sleep $'\377' … (3 min, alice, stopped), joined as orphan in the group of 10
			├─ 11 sleep $'\377' … (3 min, user 502, stopped), joined as orphan in the group of 10
			└─ 11 sleep $'\377' … (stopped), joined as orphan in the group of 10
			`)))
	})

	It("is as wide as the terminal", func() {
		noon := time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
		root := shownMember{member(10, 5, "bash", theRoot), detail{Arguments: []string{"bash"}, Started: noon}}
		long := shownMember{member(11, 10, "cc"), detail{Arguments: append([]string{"cc"}, slices.Repeat([]string{"größe.o"}, 20)...), Started: noon}}
		v := now(noon)
		v.width = 40
		Expect(drawn(v, root, long)).To(Equal(lines(`
			10 bash (0 s)
			└─ 11 cc 'größe.o' 'größe.o' 'grö… (0 s)
			`)))
		v.width = 20
		Expect(drawn(v, root, long)).To(Equal("10 bash (0 s)\n└─ 11 cc 'größe.o' …\n"))
	})

	It("has the root at the top, though its parent joined the group that it leads", func() {
		Expect(draw(
			member(9, 1, "init", trees.Link{Kind: trees.LinkGroup, Through: identity(10)}),
			member(10, 9, "bash", theRoot),
		)).To(Equal(lines(`
			10 bash
			└─ 9 init, joined as orphan in the group of 10
			`)))
	})
})
