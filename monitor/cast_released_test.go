package monitor

import (
	"os"
	"path/filepath"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/tracker/process"
	"github.com/gemini-monitor/gemini/tracker/trees"
)

var _ = Describe("The released processes of a journal", func() {
	noon := time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
	id := func(pid int) process.Identity { return process.Identity{PID: pid, Start: 5, Boot: "now"} }
	member := func(pid, via int, kind trees.LinkKind) trees.Member {
		return trees.Member{
			Process: process.Process{Identity: id(pid), Parent: 1, Group: pid, Session: pid},
			Link:    trees.Link{Kind: kind, Through: id(via)}, Joined: noon,
		}
	}
	change := func(kind trees.ChangeKind, m trees.Member) trees.Change {
		return trees.Change{Kind: kind, Time: noon, Member: m}
	}

	inSession := func(pid, session int) trees.Member {
		m := member(pid, session, trees.LinkGroup)
		m.Session = session
		return m
	}

	var path string
	BeforeEach(func() {
		path = filepath.Join(GinkgoT().TempDir(), journalFile)
		Expect(os.WriteFile(path, nil, 0o600)).To(Succeed())
	})
	open := func() *journal {
		GinkgoHelper()
		j, err := openJournal(path)
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(j.close)
		return j
	}
	agent := member(10, 9, trees.LinkParent)

	It("are no members any more, and keep their first link", func() {
		j := open()
		known := agent
		known.Link = trees.Link{Kind: trees.LinkKnown}
		Expect(j.append([]trees.Change{change(trees.Joined, agent), change(trees.Released, known)})).To(Succeed())
		again := open()
		Expect(again.members).To(BeEmpty())
		Expect(again.released).To(Equal(map[process.Identity]*trees.Member{id(10): &agent}))
		Expect(again.allReleased()).To(ConsistOf(id(10)))
		Expect(again.relatives()).To(BeEmpty())
	})

	It("have one line each, however often they are found", func() {
		j := open()
		for range 3 {
			Expect(j.append([]trees.Change{change(trees.Released, agent)})).To(Succeed())
		}
		for range 2 {
			Expect(j.append([]trees.Change{change(trees.Ended, agent)})).To(Succeed())
		}
		Expect(open().lines).To(Equal(2))
	})

	It("link others when they have ended", func() {
		j := open()
		Expect(j.append([]trees.Change{change(trees.Released, agent), change(trees.Ended, agent)})).To(Succeed())
		again := open()
		Expect(again.released).To(BeEmpty())
		Expect(again.allReleased()).To(ConsistOf(id(10)))
	})

	It("stay when the journal is rewritten, with those in whose session others are", func() {
		j := open()
		leader, child, stray := member(10, 9, trees.LinkParent), member(11, 10, trees.LinkParent), member(12, 10, trees.LinkParent)
		child.Session = 10
		Expect(j.append([]trees.Change{
			change(trees.Released, leader), change(trees.Released, child), change(trees.Released, stray),
			change(trees.Ended, leader), change(trees.Ended, stray),
		})).To(Succeed())
		Expect(j.rewrite()).To(Succeed())
		again := open()
		Expect(again.released).To(HaveLen(1))
		Expect(again.released).To(HaveKey(id(11)))
		Expect(again.allReleased()).To(ConsistOf(id(10), id(11)))
	})

	It("count again where the table says so", func() {
		j := open()
		Expect(j.append([]trees.Change{change(trees.Released, agent), change(trees.Joined, agent)})).To(Succeed())
		again := open()
		Expect(again.released).To(BeEmpty())
		Expect(again.members).To(HaveKey(id(10)))
	})

	It("take along those that descend from them, also by processes that have left", func() {
		j := open()
		Expect(j.append([]trees.Change{
			change(trees.Joined, agent),
			change(trees.Joined, member(11, 10, trees.LinkParent)), change(trees.Left, member(11, 10, trees.LinkParent)),
			change(trees.Joined, member(12, 11, trees.LinkSession)), change(trees.Joined, member(13, 12, trees.LinkLineage)),
			change(trees.Joined, member(20, 10, trees.LinkGroup)), change(trees.Joined, member(21, 20, trees.LinkParent)),
			change(trees.Joined, inSession(24, 10)), change(trees.Joined, member(22, 10, trees.LinkMark)), change(trees.Joined, member(23, 9, trees.LinkParent)),
		})).To(Succeed())
		Expect(open().heirs(id(10))).To(ConsistOf(id(11), id(12), id(13), id(24)), "a group proves nothing, nor does a mark")
	})
})
