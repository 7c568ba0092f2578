package tracker

import (
	"errors"
	"slices"
	"syscall"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// everyFlavour has an entry for each thing that kernels say of forks.
var everyFlavour = []TableEntry{
	Entry("where forks are announced", ForksAnnounced),
	Entry("where forks are named", ForksNamed),
	Entry("where forks are unseen", ForksUnseen),
}

var _ = Describe("The verdict on a tree", func() {
	DescribeTable("is empty when the last member has gone, in whatever order", func(flavour Forks) {
		for _, order := range [][]int{{10, 11, 12}, {12, 11, 10}, {11, 10, 12}, {12, 10, 11}} {
			r := rehearse(flavour)
			tree := r.track(10)
			for i, pid := range order {
				Expect(verdict(tree)).To(Equal(Alive))
				r.dies(pid)
				Expect(tree.Members()).To(HaveLen(len(order) - i - 1))
			}
			Expect(verdict(tree)).To(Equal(Empty))
		}
	}, everyFlavour)

	DescribeTable("is empty when only zombies are left", func(flavour Forks) {
		r := rehearse(flavour)
		tree := r.track(10)
		for pid := 10; pid <= 12; pid++ {
			p := r.rows[pid]
			zombie(&p)
			r.rows[pid] = p
			r.posted = append(r.posted, Notice{PID: pid, Events: Exited})
		}
		r.run()
		Expect(verdict(tree)).To(Equal(Empty))
	}, everyFlavour)

	It("asks more than one read before it says empty", func() {
		r := rehearse(ForksAnnounced)
		tree := r.track(10)
		before := r.reads
		r.beforeRead = func() {
			switch r.reads - before {
			case 1: // the row of an orphan is not filled in yet
				Expect(verdict(tree)).NotTo(Equal(Empty))
			case 2:
				Expect(verdict(tree)).NotTo(Equal(Empty))
				r.rows[20] = row(20, 1, 11, 5)
			}
		}
		r.dies(10, 11, 12)
		Expect(links(tree)).To(Equal(map[int]string{20: "orphan in the group of 11"}))
		Expect(verdict(tree)).To(Equal(Alive))
	})

	DescribeTable("is not empty when a read that began before a death shows the dead but not the orphan", func(flavour Forks) {
		for torn := 1; torn <= 3; torn++ {
			r := rehearse(flavour)
			r.rows = map[int]Process{1: r.rows[1], 10: r.rows[10]}
			tree := r.track(10)
			changes(tree)
			before := r.reads
			r.beforeRead = func() {
				switch r.reads - before {
				case torn: // the PIDs were listed before 20 was made, the row of 10 filled after its end
					r.rows[10] = row(10, 1, 10, 0, zombie)
					r.posted = append(r.posted, Notice{PID: 10, Events: Forked | Exited})
				case torn + 1:
					r.rows[20] = row(20, 1, 10, 5)
				}
			}
			r.posted = append(r.posted, Notice{PID: 10, Events: Forked})
			r.run()
			if r.reads-before < torn {
				continue // it came to rest before
			}
			Expect(links(tree)).To(Equal(map[int]string{20: "orphan in the group of 10"}), "read %d", torn)
			Expect(changes(tree)).To(Equal([]string{"left 10", "joined 20"}), "read %d", torn)
		}
	}, Entry("where forks are announced", ForksAnnounced), Entry("where forks are unseen", ForksUnseen))

	It("reads nothing while nothing happens", func() {
		r := rehearse(ForksAnnounced)
		r.track(10)
		Expect(r.idle).To(BeTrue())
		before := r.reads
		r.happensLater(time.Hour)
		Expect(r.reads).To(Equal(before))
	})

	It("reads on a beat where forks are unseen", func() {
		r := rehearse(ForksUnseen)
		r.track(10)
		before, began := r.reads, r.clock
		r.run()
		Expect(r.clock.Sub(began)).To(BeNumerically(">=", 10*time.Second))
		Expect(r.reads - before).To(BeNumerically("~", 40, 2))
	})
})

// happensLater lets time pass.
func (r *rehearsal) happensLater(after time.Duration) {
	r.clock = r.clock.Add(after)
	r.run()
}

var _ = Describe("A process that cannot be watched", func() {
	DescribeTable("because it has begun to exit counts until it is a zombie or gone", func(end func(r *rehearsal)) {
		r := rehearse(ForksAnnounced)
		tree := r.track(10)
		r.appears(row(20, 10, 10, 0, exiting))
		r.dies(10, 11, 12)
		Expect(links(tree)).To(Equal(map[int]string{20: "child of 10"}))
		Expect(verdict(tree)).To(Equal(Alive))
		end(r)
		Expect(verdict(tree)).To(Equal(Empty))
	},
		Entry("a zombie", func(r *rehearsal) { r.replaces(row(20, 1, 10, 0, zombie)); r.run() }),
		Entry("gone", func(r *rehearsal) { delete(r.rows, 20); r.run() }),
	)

	It("because it has begun to exit may still make a child", func() {
		r := rehearse(ForksAnnounced)
		tree := r.track(10)
		r.appears(row(20, 10, 10, 0, exiting))
		r.dies(10, 11, 12)
		r.replaces(row(21, 20, 10, 5))
		r.run()
		delete(r.rows, 20)
		r.replaces(row(21, 1, 10, 5))
		r.run()
		Expect(links(tree)).To(Equal(map[int]string{21: "child of 20"}))
		r.dies(21)
		Expect(verdict(tree)).To(Equal(Empty))
	})

	DescribeTable("because of an error counts, and is tried again", func(flavour Forks) {
		r := rehearse(flavour)
		r.refused[11] = syscall.EMFILE
		tree := r.track(10)
		r.dies(10, 12)
		Expect(verdict(tree)).To(Equal(Alive))
		delete(r.refused, 11)
		r.run()
		Expect(r.watched).To(HaveKey(11))
		r.dies(11)
		Expect(verdict(tree)).To(Equal(Empty))
	}, everyFlavour)

	DescribeTable("because of an error has no child that is missed when it is watched at last", func(flavour Forks) {
		r := rehearse(flavour)
		r.refused[11] = syscall.ENOMEM
		tree := r.track(10)
		delete(r.refused, 11)
		var watched time.Time
		r.beforeAdd = func(pid int) {
			if pid == 11 { // whose fork nobody is told of
				r.rows[20] = row(20, 11, 20, 20)
				watched = r.clock
			}
		}
		for watched.IsZero() {
			Expect(r.tracker.follower.step()).To(Succeed())
		}
		for links(tree)[20] == "" {
			Expect(r.tracker.follower.step()).To(Succeed())
			Expect(r.clock.Sub(watched)).To(BeNumerically("<", 50*time.Millisecond), "time enough to be orphaned")
		}
	}, Entry("where forks are announced", ForksAnnounced), Entry("where forks are named", ForksNamed))

	It("because of an error is looked at until it has gone", func() {
		r := rehearse(ForksAnnounced)
		r.refused[11] = syscall.ENOMEM
		tree := r.track(10)
		r.dies(10, 11, 12)
		Expect(verdict(tree)).To(Equal(Empty))
	})

	It("because it died since the read is dead only when a read says so", func() {
		r := rehearse(ForksAnnounced)
		r.beforeAdd = func(pid int) {
			if pid == 11 {
				delete(r.rows, 11)
				r.replaces(row(20, 1, 11, 5)) // its child, until just now
			}
		}
		tree := r.track(10)
		Expect(links(tree)).To(Equal(map[int]string{
			10: "the root", 12: "child of 10", 20: "orphan in the group of 11"}))
	})
})

var _ = Describe("A PID that is used again", func() {
	another := row(11, 5, 5, 5, born(5000))

	It("between the read and the watch is no member", func() {
		r := rehearse(ForksAnnounced)
		r.beforeAdd = func(pid int) {
			if pid == 11 {
				r.replaces(another)
			}
		}
		tree := r.track(10)
		Expect(links(tree)).To(Equal(map[int]string{10: "the root", 12: "child of 10"}))
		Expect(r.watched).NotTo(HaveKey(11))
	})

	It("between the read and the watch by a relative is a new member", func() {
		r := rehearse(ForksAnnounced)
		later := row(11, 10, 10, 5, born(5000))
		r.beforeAdd = func(pid int) {
			if pid == 11 {
				r.replaces(later)
			}
		}
		tree := r.track(10)
		Expect(links(tree)).To(HaveKeyWithValue(11, "child of 10"))
		Expect(tree.Members()).To(ContainElement(HaveField("Identity", later.Identity)))
		Expect(tree.Members()).NotTo(ContainElement(HaveField("Identity", identity(11))))
		Expect(r.watched).To(HaveKeyWithValue(11, StartTime(5000)))
	})

	It("without any notice ends the member", func() {
		r := rehearse(ForksAnnounced)
		tree := r.track(10)
		changes(tree)
		r.replaces(another)
		r.appears(row(20, 10, 10, 5))
		Expect(links(tree)).NotTo(HaveKey(11))
		Expect(changes(tree)).To(ConsistOf("left 11", "joined 20"))
		Expect(r.watched).NotTo(HaveKey(11))
	})

	It("by a root is another tree, and is watched", func() {
		r := rehearse(ForksAnnounced)
		r.rows = map[int]Process{1: r.rows[1], 10: r.rows[10]}
		old := r.track(10)
		// The end of the old one is not announced yet when the new one is tracked.
		r.replaces(row(10, 1, 10, 10, born(5000)))
		tree := r.track(10)
		Expect(verdict(old)).To(Equal(Empty))
		Expect(verdict(tree)).To(Equal(Alive))
		Expect(r.watched).To(HaveKeyWithValue(10, StartTime(5000)))
		r.dies(10)
		Expect(verdict(tree)).To(Equal(Empty))
	})
})

var _ = Describe("A row that is missing though no exit was announced", func() {
	It("is no death while the process can be looked up", func() {
		r := rehearse(ForksAnnounced)
		tree := r.track(10)
		hidden := r.rows[11]
		r.beforeRead = func() { delete(r.rows, 11) }
		r.tracker.follower.kernel = &hiding{r.script, hidden}
		r.appears(row(20, 10, 10, 5))
		Expect(links(tree)).To(HaveKey(11))
		r.tracker.follower.kernel = r.script
		r.happensLater(time.Second) // it is looked at on the beat
		Expect(links(tree)).NotTo(HaveKey(11))
	})

	It("is a death when there is no such process", func() {
		r := rehearse(ForksAnnounced)
		tree := r.track(10)
		delete(r.rows, 11)
		r.appears(row(20, 10, 10, 5))
		Expect(links(tree)).NotTo(HaveKey(11))
	})

	It("is no death while look-ups fail", func() {
		r := rehearse(ForksAnnounced)
		tree := r.track(10)
		r.tracker.follower.kernel = &blind{r.script}
		delete(r.rows, 11)
		r.appears(row(20, 10, 10, 5))
		Expect(links(tree)).To(HaveKey(11))
	})
})

// A hiding kernel has a process that its table does not show.
type hiding struct {
	*script
	hidden Process
}

func (h *hiding) lookup(pid int) (Process, error) {
	if pid == h.hidden.PID {
		return h.hidden, nil
	}
	return h.script.lookup(pid)
}

// A blind kernel does not let us look at single processes.
type blind struct{ *script }

func (*blind) lookup(int) (Process, error) { return Process{}, syscall.EPERM }

var _ = Describe("A table that cannot be read", func() {
	DescribeTable("leaves everything unknown, and nothing empty", func(flavour Forks) {
		r := rehearse(flavour)
		tree := r.track(10)
		changes(tree)
		r.unreadable = syscall.EPERM
		r.posted = append(r.posted, Notice{Lost: true}, Notice{PID: 10, Events: Forked})
		if flavour == ForksNamed {
			r.posted = r.posted[:1]
		}
		r.dies(10, 11, 12)
		v, err := tree.Verdict()
		Expect(v).To(Equal(Unknown))
		Expect(err).To(MatchError(syscall.EPERM))
		Expect(changes(tree)).To(And(ContainElement("unreadable"), Not(ContainElement("emptied"))))

		r.unreadable = nil
		r.happensLater(time.Second)
		Expect(verdict(tree)).To(Equal(Empty))
		Expect(changes(tree)).To(ContainElements("readable", "emptied"))
	}, everyFlavour)

	It("is read again ever more slowly", func() {
		r := rehearse(ForksAnnounced)
		r.track(10)
		r.unreadable = errors.New("not now")
		before := r.reads
		r.appears(row(20, 10, 10, 5))
		Expect(r.reads-before).To(BeNumerically("<", 25), "in ten seconds")
		Expect(r.reads-before).To(BeNumerically(">", 9), "in ten seconds")
	})

	It("says so once", func() {
		r := rehearse(ForksAnnounced)
		tree := r.track(10)
		changes(tree)
		r.unreadable = errors.New("not now")
		r.appears(row(20, 10, 10, 5))
		Expect(changes(tree)).To(Equal([]string{"unreadable"}))
	})
})

var _ = Describe("A storm of forks", func() {
	// storm has the root of a tree fork at each read.
	storm := func(r *rehearsal, pid int) {
		r.cost = 5 * time.Millisecond
		r.beforeRead = func() { r.posted = append(r.posted, Notice{PID: pid, Events: Forked}) }
		r.posted = append(r.posted, Notice{PID: pid, Events: Forked})
	}

	It("costs a few percent of a processor", func() {
		r := rehearse(ForksAnnounced)
		r.track(10)
		storm(r, 10)
		before, began := r.reads, r.clock
		r.run()
		spent := time.Duration(r.reads-before) * r.cost
		Expect(spent.Seconds() / r.clock.Sub(began).Seconds()).To(BeNumerically("<", 0.05))
	})

	It("costs no more while a tree waits to be found empty and notices are lost", func() {
		r := rehearse(ForksNamed)
		r.rows[30] = row(30, 5, 30, 5)
		r.track(30)
		tree := r.track(10)
		r.cost = 5 * time.Millisecond
		r.beforeRead = func() { r.posted = append(r.posted, Notice{Lost: true}) }
		r.beforeRead()
		before, began := r.reads, r.clock
		r.dies(10, 11, 12)
		spent := time.Duration(r.reads-before) * r.cost
		Expect(spent.Seconds() / r.clock.Sub(began).Seconds()).To(BeNumerically("<", 0.05))
		r.beforeRead = nil
		r.run()
		Expect(verdict(tree)).To(Equal(Empty))
	})

	It("does not hold up the verdict on another tree", func() {
		r := rehearse(ForksAnnounced)
		r.rows[30] = row(30, 5, 30, 5)
		stormy, quiet := r.track(10), r.track(30)
		storm(r, 10)
		r.run()
		delete(r.rows, 30)
		delete(r.watched, 30)
		r.posted = append(r.posted, Notice{PID: 30, Events: Exited})
		began := r.clock
		for verdict(quiet) != Empty {
			Expect(r.clock.Sub(began)).To(BeNumerically("<", 4*r.cost))
			Expect(r.tracker.follower.step()).To(Succeed())
		}
		Expect(verdict(stormy)).To(Equal(Alive))
	})
})

var _ = Describe("The changes of a tree", func() {
	DescribeTable("tell who joined and left, and that nobody is left", func(flavour Forks) {
		r := rehearse(flavour)
		tree := r.track(10)
		Expect(changes(tree)).To(ConsistOf("joined 10", "joined 11", "joined 12"))
		r.appears(row(20, 11, 11, 5))
		Expect(changes(tree)).To(Equal([]string{"joined 20"}))
		r.dies(11)
		r.dies(20, 12)
		r.dies(10)
		all := changes(tree)
		Expect(all).To(ConsistOf("left 11", "left 20", "left 12", "left 10", "emptied"))
		Expect(all[4]).To(Equal("emptied"))
		Expect(slices.Index(all, "left 10")).To(Equal(3))
		r.happensLater(time.Minute)
		Expect(changes(tree)).To(BeEmpty())
	}, everyFlavour)

	It("begin, when asked for late, with those who are alive", func() {
		r := rehearse(ForksAnnounced)
		tree := r.track(10)
		r.dies(11)
		Expect(changes(tree)).To(ConsistOf("joined 10", "joined 12"))
	})

	It("begin, when asked for too late, with the end", func() {
		r := rehearse(ForksAnnounced)
		tree := r.track(10)
		r.dies(10, 11, 12)
		Expect(changes(tree)).To(Equal([]string{"emptied"}))
	})
})
