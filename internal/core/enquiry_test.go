package core_test

import (
	"errors"
	"io/fs"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/internal/core"
	. "github.com/gemini-monitor/gemini/internal/rehearsal"
	"github.com/gemini-monitor/gemini/tracker/process"
	"github.com/gemini-monitor/gemini/tracker/trees"
)

var _ = Describe("The mark of a tree", func() {
	// The cast: 10 has the children 11, which leads a group, and 12, which leads a
	// session. 5 is a shell, 1 is init.
	const own, outer = "own", "outer"
	var r *Rehearsal
	begin := func(marks ...string) *Tree {
		return r.Follow(10, trees.History{Members: []process.Identity{Identity(10), Identity(11), Identity(12)}, Marks: marks})
	}
	// look has the table read, with news of a member.
	look := func(t *Tree) {
		r.Follower.Recheck(t.Tree)
		r.Run()
	}
	carry := func(pid int, marks ...string) { r.Environments[pid] = marks }

	for _, flavour := range []process.Forks{process.ForksUnseen, process.ForksAnnounced} {
		Context("where forks are "+flavour.String(), func() {
			BeforeEach(func() {
				r = New(flavour)
				r.Environments = make(map[int][]string)
				r.Secrets = make(map[int]error)
			})

			It("makes a member of an orphan that no other link leads to the tree", func() {
				t := begin(own)
				carry(20, own)
				r.Rows[20] = Row(20, 1, 20, 20)
				look(t)
				Expect(Links(t)).To(HaveKeyWithValue(20, "orphan with the mark in its environment"))
				r.Dies(10, 11, 12)
				Expect(Verdict(t)).To(Equal(trees.Alive))
				r.Dies(20)
				Expect(Verdict(t)).To(Equal(trees.Empty))
			})

			It("makes members of what descends from it", func() {
				t := begin(own)
				carry(20, own)
				r.Rows[20], r.Rows[21] = Row(20, 1, 20, 20), Row(21, 20, 21, 21)
				look(t)
				Expect(Links(t)).To(HaveKeyWithValue(21, "child of 20"))
			})

			It("is asked for once", func() {
				t := begin(own)
				r.Rows[20] = Row(20, 1, 20, 20)
				look(t)
				look(t)
				Expect(r.Asked).To(Equal([]int{20}))
				Expect(Verdict(t)).To(Equal(trees.Alive))
			})

			It("is asked for again when another program runs", func() {
				t := begin(own)
				r.Rows[20] = Row(20, 1, 20, 20)
				r.Secrets[20] = fs.ErrPermission
				look(t)
				delete(r.Secrets, 20)
				carry(20, own)
				look(t)
				Expect(r.Asked).To(Equal([]int{20}))
				r.Rows[20] = Row(20, 1, 20, 20, func(p *process.Row) { p.Command = Name("other") })
				look(t)
				Expect(r.Asked).To(Equal([]int{20, 20}))
				Expect(r.Knows(20)).To(BeTrue())
			})

			It("is not asked for where no tree has one", func() {
				t := begin()
				r.Rows[20] = Row(20, 1, 20, 20)
				look(t)
				Expect(r.Asked).To(BeEmpty())
			})

			DescribeTable("is not asked for", func(row process.Row) {
				t := begin(own)
				carry(row.PID, own)
				r.Rows[row.PID] = row
				look(t)
				Expect(r.Asked).To(BeEmpty())
				Expect(r.Knows(row.PID)).To(BeFalse())
			},
				Entry("of a process whose parent lives and is no member: it may have been started by one that copied the variable", Row(20, 5, 20, 20)),
				Entry("of one that is older than the root", Row(20, 1, 20, 20, Born(1))),
				Entry("of a zombie", Row(20, 1, 20, 20, Zombie)),
				Entry("of one that is exiting", Row(20, 1, 20, 20, Exiting)),
				Entry("of one that is hidden", Row(20, 1, 20, 20, Hidden)),
			)

			It("counts once the parent of a process that had copied it has died", func() {
				t := begin(own)
				carry(21, own)
				r.Rows[20], r.Rows[21] = Row(20, 1, 20, 20), Row(21, 20, 21, 21)
				look(t)
				Expect(r.Knows(21)).To(BeFalse())
				r.Bury(20)
				look(t)
				Expect(r.Knows(21)).To(BeTrue(), "late is better than early")
			})

			It("does not count where it is only like the one of the tree", func() {
				t := begin(own)
				for pid, mark := range map[int]string{20: own[:2], 21: own + "er", 22: "OWN", 23: "", 24: outer} {
					carry(pid, mark)
					r.Rows[pid] = Row(pid, 1, pid, pid)
				}
				look(t)
				Expect(r.Asked).To(ConsistOf(20, 21, 22, 23, 24))
				Expect(t.Members()).To(HaveLen(3))
				r.Dies(10, 11, 12)
				Expect(Verdict(t)).To(Equal(trees.Empty))
			})

			DescribeTable("removes no member", func(change func(*process.Row), secret error) {
				t := begin(own)
				carry(20, own)
				r.Rows[20] = Row(20, 1, 20, 20)
				look(t)
				Expect(r.Knows(20)).To(BeTrue())
				carry(20)
				r.Secrets[20] = secret
				r.Rows[20] = Row(20, 1, 20, 20, change)
				look(t)
				Expect(r.Knows(20)).To(BeTrue())
				r.Dies(10, 11, 12)
				Expect(Verdict(t)).To(Equal(trees.Alive))
				r.Dies(20)
				Expect(Verdict(t)).To(Equal(trees.Empty))
			},
				Entry("that has removed it", func(*process.Row) {}, nil),
				Entry("that runs another program without it", func(p *process.Row) { p.Command = Name("other") }, nil),
				Entry("that may not be asked any more", func(p *process.Row) { p.User = 7 }, fs.ErrPermission),
				Entry("that another process has adopted", func(p *process.Row) { p.Parent = 5 }, nil),
			)

			It("counts the orphans that may not be asked", func() {
				t := begin(own)
				r.Rows[20], r.Rows[21] = Row(20, 1, 20, 20), Row(21, 1, 21, 21)
				r.Secrets[20] = fs.ErrPermission
				look(t)
				withheld := func() (n int) { r.Follower.Do(func(c *core.Core) { n = c.Withheld(t.Tree) }); return n }
				Expect(withheld()).To(Equal(1))
				Expect(Verdict(t)).To(Equal(trees.Alive))
				r.Dies(10, 11, 12)
				Expect(Verdict(t)).To(Equal(trees.Empty), "what may not be asked is no evidence")
				r.Bury(20)
				look(t)
				Expect(withheld()).To(BeZero())
			})

			It("is asked for again while a process is between two programs", func() {
				t := begin(own)
				r.Rows[20] = Row(20, 1, 20, 20)
				r.Secrets[20] = process.ErrBetween
				r.BeforeRead = func() {
					if len(r.Asked) == 2 {
						delete(r.Secrets, 20)
						carry(20, own)
					}
				}
				look(t)
				Expect(r.Asked).To(Equal([]int{20, 20, 20}))
				Expect(r.Knows(20)).To(BeTrue())
			})

			It("does not keep the tree from its end where a process never gives an answer", func() {
				t := begin(own)
				r.Rows[20] = Row(20, 1, 20, 20)
				r.Secrets[20] = errors.New("no answer")
				before := r.Clock
				r.Dies(10, 11, 12)
				Expect(Verdict(t)).To(Equal(trees.Empty))
				Expect(r.Clock.Sub(before)).To(BeNumerically(">=", 5*time.Second), "a process may have to wait between two programs")
			})

			It("leads to the innermost tree", func() {
				around := begin(outer)
				inside := r.Follow(12, trees.History{Members: []process.Identity{Identity(12)}, Marks: []string{outer, own}})
				carry(20, outer, own)
				carry(21, outer)
				carry(22, "another", outer, "gone")
				for _, pid := range []int{20, 21, 22} {
					r.Rows[pid] = Row(pid, 1, pid, pid)
				}
				look(around)
				Expect(Links(inside)).To(HaveKey(20))
				Expect(Links(inside)).NotTo(Or(HaveKey(21), HaveKey(22)))
				Expect(Links(around)).To(And(HaveKey(20), HaveKey(21), HaveKey(22)))
			})

			It("leads a tree whose root is an orphan, or has gone, into the one around it", func() {
				around := begin(outer)
				r.Rows[20], r.Rows[21] = Row(20, 1, 20, 20), Row(21, 20, 21, 21)
				inside := r.Follow(20, trees.History{Members: []process.Identity{Identity(20), Identity(21)}, Marks: []string{outer, own}})
				gone := r.Follow(30, trees.History{Members: []process.Identity{Identity(30)}, Marks: []string{outer, "third"}})
				Expect(Links(inside)).To(HaveLen(2))
				Expect(Links(around)).To(And(HaveKey(20), HaveKey(21)))
				Expect(Verdict(gone)).To(Equal(trees.Empty))
				r.Dies(10, 11, 12)
				Expect(Verdict(around)).To(Equal(trees.Alive))
				r.Dies(20, 21)
				Expect(Verdict(around)).To(Equal(trees.Empty))
			})

			It("does not lead a tree whose root has a parent that lives into the one that is named", func() {
				around := begin(outer)
				r.Rows[20] = Row(20, 5, 20, 20)
				r.Follow(20, trees.History{Members: []process.Identity{Identity(20)}, Marks: []string{outer, own}})
				Expect(Links(around)).NotTo(HaveKey(20))
			})

			It("is asked for again, of those that are there then, when a process is gone before it was asked", func() {
				t := begin(own)
				carry(21, own)
				reads := 0
				r.BeforeRead = func() {
					switch reads++; reads {
					case 2:
						r.Rows[20], r.Secrets[20] = Row(20, 1, 20, 20), process.ErrGone
					case 3:
						r.Bury(20)
						r.Rows[21] = Row(21, 1, 21, 21)
					}
				}
				r.Dies(10, 11, 12)
				Expect(r.Knows(21)).To(BeTrue())
				Expect(Verdict(t)).To(Equal(trees.Alive))
			})

			It("does not keep the tree from its end where strangers are gone before they are asked, again and again", func() {
				t := begin(own)
				pid := 20
				r.BeforeRead = func() {
					r.Bury(pid)
					pid++
					r.Rows[pid], r.Secrets[pid] = Row(pid, 1, pid, pid), process.ErrGone
				}
				r.Dies(10, 11, 12)
				Expect(Verdict(t)).To(Equal(trees.Empty))
			})

			It("leads to a tree that begins after the process was asked", func() {
				around := begin(outer)
				carry(21, own)
				r.Rows[20], r.Rows[21] = Row(20, 1, 20, 20), Row(21, 1, 21, 21)
				look(around)
				Expect(r.Knows(21)).To(BeFalse())
				other := r.Follow(19, trees.History{Members: []process.Identity{Identity(19)}, Marks: []string{own}})
				Expect(Links(other)).To(HaveKey(21))
				Expect(Verdict(other)).To(Equal(trees.Alive))
				Expect(r.Asked).To(HaveLen(2))
			})

			It("leads from the tree around into the one inside that begins later", func() {
				around := begin(outer)
				carry(21, outer, own)
				r.Rows[21], r.Rows[22] = Row(21, 1, 21, 21), Row(22, 21, 22, 22)
				look(around)
				Expect(Links(around)).To(And(HaveKey(21), HaveKey(22)))
				inside := r.Follow(20, trees.History{Members: []process.Identity{Identity(20)}, Marks: []string{outer, own}})
				Expect(Links(inside)).To(And(HaveKey(21), HaveKey(22)))
				Expect(Links(around)).To(And(HaveKey(21), HaveKey(22)))
				r.Dies(10, 11, 12)
				Expect(Verdict(around)).To(Equal(trees.Alive))
				r.Dies(21, 22)
				Expect(Verdict(inside)).To(Equal(trees.Empty))
				Expect(Verdict(around)).To(Equal(trees.Empty))
			})

			It("does not lead to a tree that began after the process", func() {
				around := begin(outer)
				carry(20, own)
				r.Rows[20], r.Rows[21] = Row(20, 1, 20, 20), Row(21, 5, 21, 21)
				look(around)
				inside := r.Follow(21, trees.History{Members: []process.Identity{Identity(21)}, Marks: []string{own}})
				Expect(Links(inside)).NotTo(HaveKey(20))
			})

			It("is taken from no stranger that was there before the tree", func() {
				r.Rows[20] = Row(20, 1, 20, 20)
				carry(20, own)
				t := r.Follow(10, trees.History{Members: []process.Identity{Identity(10)}, Strangers: []process.Identity{Identity(20)}, Marks: []string{own}})
				Expect(Links(t)).NotTo(HaveKey(20))
			})
		})
	}
})
