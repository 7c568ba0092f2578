package monitor

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/tracker/process"
)

var _ = Describe("A discount of released processes", func() {
	const self = 90
	id := func(pid int) process.Identity {
		return process.Identity{PID: pid, Start: process.StartTime(pid), Boot: "b"}
	}
	// 50 is older than the owner, 100 is released and 101 its child, 120 is a child of 50.
	table := func(but ...func(headcount)) headcount {
		h := headcount{
			rows:    map[int]process.Process{1: {Identity: id(1), Session: 1}},
			outside: map[process.Identity]bool{id(1): true, id(50): true, id(100): true, id(101): true},
		}
		for pid, parent := range map[int]int{50: 1, self: 1, 100: 1, 101: 100, 120: 50} {
			h.rows[pid] = process.Process{Identity: id(pid), Parent: parent, Group: pid, Session: pid}
		}
		for _, change := range but {
			change(h)
		}
		return h
	}
	in := func(session, pid, parent int) func(headcount) {
		return func(h headcount) {
			h.rows[pid] = process.Process{Identity: id(pid), Parent: parent, Group: pid, Session: session}
		}
	}
	with := func(pid, parent int) func(headcount) {
		return func(h headcount) {
			h.rows[pid] = process.Process{Identity: id(pid), Parent: parent, Group: pid, Session: pid}
		}
	}
	// settles plays rounds between tables. Each process that is looked at holds the lease if a
	// set says so, or cannot be seen.
	settles := func(holding, unseen []int, tables ...headcount) (only bool, reason string, asked []int) {
		d := &discount{self: self, looked: make(map[process.Identity]bool)}
		for i := range tables[1:] {
			suspects := d.suspects(tables[i])
			for _, p := range suspects {
				asked = append(asked, p.PID)
			}
			seen := sighting{locked: holding, unseen: unseen}
			if only, reason = d.take(tables[i], suspects, seen, tables[i+1]); only || reason != "" {
				return only, reason, asked
			}
		}
		return false, "", asked
	}

	It("is settled by two rounds, and looks once at each that is neither older than the owner nor released", func() {
		only, reason, asked := settles(nil, nil, table(), table(), table())
		Expect(only).To(BeTrue())
		Expect(reason).To(BeEmpty())
		Expect(asked).To(Equal([]int{120}))
		only, _, _ = settles(nil, nil, table(), table())
		Expect(only).To(BeFalse(), "by one")
	})

	DescribeTable("is settled", func(tables ...headcount) {
		only, reason, _ := settles([]int{50, 100, 101}, []int{50, 100, 101}, tables...)
		Expect(reason).To(BeEmpty())
		Expect(only).To(BeTrue())
	},
		Entry("while children of older processes, in the session of these, come and go", table(in(50, 200, 50)), table(in(50, 120, 50), in(50, 201, 120)), table()),
		Entry("while children of released processes, in the session of these, come and go", table(in(101, 200, 101)), table(in(101, 201, 101)), table()),
		Entry("while the monitor starts and ends others, lsof for instance", table(with(200, self)), table(with(201, self)), table()),
		Entry("when an orphan that lives has been looked at", table(with(200, 1)), table(with(200, 1)), table()),
		Entry("when no process ends unseen in two rounds at last", table(with(200, 1)), table(), table(), table()),
	)

	DescribeTable("is not settled while a process ends that may not have been looked at", func(tables ...headcount) {
		only, reason, _ := settles(nil, nil, tables...)
		Expect(reason).To(BeEmpty())
		Expect(only).To(BeFalse())
	},
		Entry("an orphan", table(with(200, 1)), table(), table()),
		Entry("a process whose parent is not there", table(), table(with(200, 199)), table()),
		Entry("a child of an orphan", table(with(200, 1), with(201, 200)), table(with(200, 1)), table(with(200, 1))),
		Entry("an orphan that a subreaper has adopted",
			table(in(77, 200, 50)), table(), table()),
		Entry("a leader of a session that a subreaper may have adopted", table(in(200, 200, 50)), table(), table()),
		Entry("one whose PID is another's afterwards",
			table(with(200, 1)), table(func(h headcount) {
				h.rows[200] = process.Process{Identity: process.Identity{PID: 200, Start: 300, Boot: "b"}, Parent: 50}
			}), table()),
	)

	It("is refused by a process that holds the lease", func() {
		_, reason, _ := settles([]int{120}, nil, table(), table())
		Expect(reason).To(Equal("process 120 (), which is neither a member nor released, holds the lease"))
		_, reason, _ = settles([]int{200}, nil, table(), table(with(200, 1)), table(with(200, 1)))
		Expect(reason).To(HavePrefix("process 200 ()"))
	})

	It("is not refused by one that is released when the look is over", func() {
		_, reason, _ := settles([]int{120}, nil, table(), table(func(h headcount) { h.outside[id(120)] = true }), table())
		Expect(reason).To(BeEmpty())
	})

	It("is settled though an orphan has ended, when that was looked at before", func() {
		d := &discount{self: self, looked: make(map[process.Identity]bool)}
		before, after := table(with(200, 1)), table()
		suspects := d.suspects(before)
		Expect(suspects).To(HaveExactElements(HaveField("PID", 200), HaveField("PID", 120)), "the youngest first")
		d.take(before, suspects, sighting{others: []int{120, 200}}, after)
		only, reason := d.take(after, d.suspects(after), sighting{}, after)
		Expect(only).To(BeTrue())
		Expect(reason).To(BeEmpty())
	})

	It("begins anew after a holder that has ended", func() {
		gone := func(h headcount) { delete(h.rows, 120) }
		only, reason, _ := settles([]int{120}, nil, table(), table(gone), table(gone))
		Expect(reason).To(BeEmpty())
		Expect(only).To(BeFalse())
	})

	It("is refused by a process whose files cannot be seen", func() {
		_, reason, _ := settles(nil, []int{120}, table(), table())
		Expect(reason).To(Equal("released processes hold the lease, and so may 1 processes whose files cannot be seen"))
	})
})
