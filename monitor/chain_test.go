//go:build darwin || linux

package monitor_test

import (
	"bytes"
	"fmt"
	"os"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/monitor"
	"github.com/gemini-monitor/gemini/tracker/process"
	"github.com/gemini-monitor/gemini/tracker/trees"
)

var _ = Describe("The chain of links of a member", func() {
	var runtime *monitor.Runtime

	identity := func(pid int) process.Identity { return process.Identity{PID: pid, Start: 5, Boot: "now"} }
	BeforeEach(func() { runtime = own(newStore(), "build", identity(10)) })

	member := func(pid int, kind trees.LinkKind, through int) trees.Member {
		m := trees.Member{Process: process.Process{Identity: identity(pid)}, Link: trees.Link{Kind: kind}, Joined: time.Unix(1, 0).UTC()}
		if through != 0 {
			m.Link.Through = identity(through)
		}
		return m
	}
	owner := member(10, trees.LinkRoot, 0)
	write := func(changes ...trees.Change) {
		GinkgoHelper()
		journal, err := monitor.OpenJournal(runtime.Path(monitor.JournalFile))
		Expect(err).NotTo(HaveOccurred())
		defer journal.Close()
		for _, c := range changes {
			Expect(journal.Append(c)).To(Succeed())
		}
	}
	joined := func(m trees.Member) trees.Change { return trees.Change{Kind: trees.Joined, Member: m} }
	left := func(m trees.Member) trees.Change { return trees.Change{Kind: trees.Left, Member: m} }
	lines := func() int {
		GinkgoHelper()
		text, err := os.ReadFile(runtime.Path(monitor.JournalFile))
		Expect(err).NotTo(HaveOccurred())
		return bytes.Count(text, []byte("\n"))
	}
	// chain returns the links of a process in words.
	chain := func(pid int) (words []string) {
		GinkgoHelper()
		links, err := runtime.Links()
		Expect(err).NotTo(HaveOccurred())
		for _, m := range links.Chain(identity(pid)) {
			words = append(words, fmt.Sprint(m.PID, " ", m.Link))
		}
		return words
	}

	It("leads through members, dead and alive, to the owner", func() {
		first, second, third := member(11, trees.LinkParent, 10), member(12, trees.LinkParent, 11), member(13, trees.LinkGroup, 12)
		write(joined(owner), joined(first), joined(second), left(first), joined(third), left(second))
		Expect(chain(13)).To(Equal([]string{"12 child of 11", "11 child of 10", "10 the root"}))
		Expect(chain(10)).To(BeEmpty())
		write(left(owner))
		Expect(chain(13)).To(HaveLen(3))
	})

	It("goes on where a later monitor found only that a member has died", func() {
		first, second := member(11, trees.LinkParent, 10), member(12, trees.LinkParent, 11)
		write(joined(owner), joined(first), joined(second), left(member(11, trees.LinkKnown, 0)))
		Expect(chain(12)).To(Equal([]string{"11 child of 10", "10 the root"}))
	})

	It("ends where a link leads to no process, to one that is not in the journal, or in a circle", func() {
		write(joined(owner),
			joined(member(11, trees.LinkKnown, 0)), joined(member(12, trees.LinkParent, 11)),
			joined(member(13, trees.LinkMark, 10)), joined(member(14, trees.LinkParent, 13)),
			joined(member(15, trees.LinkParent, 9)), joined(member(16, trees.LinkParent, 15)),
			joined(member(17, trees.LinkGroup, 18)), joined(member(18, trees.LinkGroup, 17)),
		)
		Expect(chain(12)).To(Equal([]string{"11 known from before"}))
		Expect(chain(13)).To(BeEmpty())
		Expect(chain(14)).To(Equal([]string{"13 orphan with the mark in its environment"}))
		Expect(chain(16)).To(Equal([]string{"15 child of 9"}))
		Expect(chain(17)).To(Equal([]string{"18 orphan in the group of 17"}))
		Expect(chain(99)).To(BeEmpty())
	})

	It("outlives the shortening of the journal", func() {
		write(joined(owner))
		last := owner
		const generations = 100
		for pid := 11; pid <= 10+generations; pid++ {
			next := member(pid, trees.LinkParent, last.PID)
			write(joined(next), left(last))
			last = next
		}
		stranger := make([]trees.Change, 0, 2*monitor.MaxLines)
		for pid := range monitor.MaxLines {
			m := member(100_000+pid, trees.LinkParent, last.PID)
			stranger = append(stranger, joined(m), left(m))
		}
		write(stranger...)
		Expect(lines()).To(BeNumerically("<=", monitor.MaxLines))
		Expect(chain(last.PID)).To(HaveLen(generations))
	})

	It("of a member that others have made one after the other keeps no journal from being shortened", func() {
		journal, err := monitor.OpenJournal(runtime.Path(monitor.JournalFile))
		Expect(err).NotTo(HaveOccurred())
		defer journal.Close()
		last := owner
		Expect(journal.Append(joined(last))).To(Succeed())
		for pid := 11; pid <= 3*monitor.MaxLines; pid++ {
			next := member(pid, trees.LinkParent, last.PID)
			Expect(journal.Append(joined(next), left(last))).To(Succeed())
			last = next
		}
		Expect(lines()).To(BeNumerically("<=", monitor.MaxLines))
		Expect(len(chain(last.PID))).To(BeNumerically(">=", monitor.MaxLines/2-1))
	})

	It("is an error of a journal that is broken, and of a runtime that was removed", func() {
		Expect(os.WriteFile(runtime.Path(monitor.JournalFile), []byte("?\n"), 0o600)).To(Succeed())
		_, err := runtime.Links()
		Expect(err).To(MatchError(monitor.ErrBroken))
		Expect(runtime.Remove()).To(Succeed())
		_, err = runtime.Links()
		Expect(err).To(MatchError(`runtime "build" does not exist`))
	})
})
