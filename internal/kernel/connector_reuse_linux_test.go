package kernel

import (
	"io/fs"
	"os"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"golang.org/x/sys/unix"

	"github.com/gemini-monitor/gemini/internal/core"
	"github.com/gemini-monitor/gemini/internal/rehearsal"
	"github.com/gemini-monitor/gemini/internal/testproc"
	"github.com/gemini-monitor/gemini/tracker/process"
	"github.com/gemini-monitor/gemini/tracker/trees"
)

// A happening is something that a made-up kernel does and announces.
type happening func(*wire)

func forks(parent, child int, start process.StartTime) happening {
	return func(w *wire) { w.fork(rehearsal.Row(child, parent, child, child, rehearsal.Born(start))) }
}

func exits(pid int) happening { return func(w *wire) { w.exit(pid) } }

// eachWay plays a story once for each way to read it: after each happening the
// tracker takes what there is, or only the source's reader does, or neither.
func eachWay(story []happening, check func(r *rehearsal.Rehearsal, w *wire, tree *rehearsal.Tree, way []int)) {
	ways := 1
	for range story {
		ways *= 3
	}
	tell := func(number int) {
		r, w := connect()
		defer w.end()
		tree := r.Track(10)
		rehearsal.Changes(tree)
		var way []int
		for _, happens := range story {
			happens(w)
			switch number % 3 {
			case 1:
				w.receive()
			case 2:
				r.Run()
			}
			way = append(way, number%3)
			number /= 3
		}
		r.Run()
		check(r, w, tree, way)
	}
	for number := range Ways() {
		tell(number)
	}
}

var _ = Describe("A PID that is used again, as the proc connector reports it", Label("linux"), func() {
	type who = map[int]process.StartTime // members by PID, beside 10 and 12
	tells := func(members who, log []string, story ...happening) {
		eachWay(story, func(r *rehearsal.Rehearsal, w *wire, tree *rehearsal.Tree, way []int) {
			found := who{}
			for _, m := range tree.Members() {
				found[m.PID] = m.Start
			}
			members[10], members[12] = rehearsal.Identity(10).Start, rehearsal.Identity(12).Start
			Expect(found).To(Equal(members), "listened to like %v", way)
			Expect(rehearsal.Changes(tree)).To(ConsistOf(log), "listened to like %v", way)
			for pid := range members {
				w.exit(pid)
			}
			r.Run()
			Expect(rehearsal.Verdict(tree)).To(Equal(trees.Empty), "listened to like %v", way)
			Expect(w.watched).To(BeEmpty(), "listened to like %v", way)
		})
	}

	DescribeTable("is as many processes as it was given to, each a member or not", tells,
		Entry("by a stranger", who{}, []string{"left 11"},
			exits(11), forks(5, 11, 5000)),
		Entry("by a stranger that forks", who{}, []string{"left 11"},
			exits(11), forks(5, 11, 5000), forks(11, 20, 5010), forks(20, 21, 5020)),
		Entry("by a stranger that forks and ends", who{}, []string{"left 11"},
			exits(11), forks(5, 11, 5000), forks(11, 20, 5010), exits(11), exits(20)),
		Entry("by a member", who{11: 5000}, []string{"left 11", "joined 11"},
			exits(11), forks(10, 11, 5000)),
		Entry("by a member that forks", who{11: 5000, 20: 5010}, []string{"left 11", "joined 11", "joined 20"},
			exits(11), forks(10, 11, 5000), forks(11, 20, 5010)),
		Entry("by a member that ends", who{}, []string{"left 11", "joined 11", "left 11"},
			exits(11), forks(10, 11, 5000), exits(11)),
		Entry("by a member, then by a stranger", who{}, []string{"left 11", "joined 11", "left 11"},
			exits(11), forks(10, 11, 5000), exits(11), forks(5, 11, 6000), forks(11, 20, 6010)),
		Entry("by a stranger, then by a member", who{11: 6000, 21: 6010}, []string{"left 11", "joined 11", "joined 21"},
			exits(11), forks(5, 11, 5000), forks(11, 20, 5010), exits(11), forks(12, 11, 6000), forks(11, 21, 6010)),
		Entry("by a stranger, after one that was born and ended", who{11: 1011}, []string{"joined 20", "left 20"},
			forks(10, 20, 5000), exits(20), forks(5, 20, 6000), forks(20, 21, 6010)),
		Entry("by a member, after one that was born, forked and ended", who{11: 1011, 20: 6000, 21: 5010},
			[]string{"joined 20", "joined 21", "left 20", "joined 20"},
			forks(10, 20, 5000), forks(20, 21, 5010), exits(20), forks(10, 20, 6000)),
		Entry("by the child of a stranger, whose PID is a member's later", who{20: 6000}, []string{"left 11", "joined 20"},
			exits(11), forks(5, 11, 5000), forks(11, 20, 5010), exits(20), forks(10, 20, 6000)),
	)

	// The kernel announces an exit after it has freed the PID. Made-up messages
	// are about this very process here, because the source asks a pidfd whether the
	// one with the PID is alive.
	us := os.Getpid()
	dies := func(w *wire) { w.script.Bury(us) }
	told := func(w *wire) { w.announce(procExit, 0, uint32(us), uint32(us)) }
	DescribeTable("is another process although the exit of the first is announced later", tells,
		Entry("by a member", who{11: 1011, us: 6000}, []string{"joined " + testproc.Itoa(us), "left " + testproc.Itoa(us), "joined " + testproc.Itoa(us)},
			forks(10, us, 5000), dies, forks(10, us, 6000), told),
		Entry("by a member that forks", who{11: 1011, 20: 6010, us: 6000}, []string{"joined " + testproc.Itoa(us), "left " + testproc.Itoa(us), "joined " + testproc.Itoa(us), "joined 20"},
			forks(10, us, 5000), dies, forks(10, us, 6000), told, forks(us, 20, 6010)),
		Entry("by a stranger", who{11: 1011}, []string{"joined " + testproc.Itoa(us), "left " + testproc.Itoa(us)},
			forks(10, us, 5000), dies, forks(5, us, 6000), told),
		Entry("by a stranger that forks before that", who{11: 1011}, []string{"joined " + testproc.Itoa(us), "left " + testproc.Itoa(us)},
			forks(10, us, 5000), dies, forks(5, us, 6000), forks(us, 20, 6010), told),
		Entry("by a stranger that forks after that", who{11: 1011}, []string{"joined " + testproc.Itoa(us), "left " + testproc.Itoa(us)},
			forks(10, us, 5000), dies, forks(5, us, 6000), told, forks(us, 20, 6010)),
		Entry("by a member, in the same tick of the clock", who{11: 1011, us: 5000}, []string{"joined " + testproc.Itoa(us), "left " + testproc.Itoa(us), "joined " + testproc.Itoa(us)},
			forks(10, us, 5000), dies, forks(12, us, 5000), told),
		Entry("by a stranger, in the same tick of the clock", who{11: 1011}, []string{"joined " + testproc.Itoa(us), "left " + testproc.Itoa(us)},
			forks(10, us, 5000), dies, forks(5, us, 5000), told),
		Entry("by a stranger, of one that was there before", who{}, []string{"left 11"},
			func(w *wire) { w.script.Bury(11) }, forks(5, 11, 5000), forks(11, 20, 5010)),
	)
})

var _ = Describe("A process that is watched anew by the proc connector", Label("linux"), func() {
	notices := func(w *wire) []core.Notice {
		GinkgoHelper()
		found, err := w.Next(nil, 0)
		Expect(err).NotTo(HaveOccurred())
		return found
	}
	forked := func(child int) OmegaMatcher {
		return And(HaveField("PID", 11), HaveField("Events", process.Forked), HaveField("Child", child))
	}

	DescribeTable("keeps what it did", func(listens func(*wire)) {
		_, w := connect()
		defer w.end()
		Expect(w.Add(11)).To(Succeed())
		forks(11, 20, 5000)(w)
		listens(w)
		Expect(w.Add(11)).To(Succeed())
		forks(11, 21, 5010)(w)
		Expect(notices(w)).To(HaveExactElements(forked(20), forked(21)))
	},
		Entry("though nothing was read", func(*wire) {}),
		Entry("though only the reader has read", func(w *wire) { w.receive() }),
	)

	It("is not taken for dead when its own birth is announced at last, so that what it did counts", func() {
		_, w := connect()
		defer w.end()
		w.script.Rows[20] = rehearsal.Row(20, 11, 20, 20, rehearsal.Born(5000)) // in the table before it is announced
		Expect(w.Add(20)).To(Succeed())
		w.announce(procFork, announcedAt(5000-450), 11, 11, 20, 20) // half a second later
		forks(20, 21, 5100)(w)
		w.script.Bury(20)
		Expect(notices(w)).To(HaveExactElements(And(HaveField("PID", 20), HaveField("Events", process.Forked), HaveField("Child", 21))))
	})

	It("has done what the reader receives while the process is looked up for the first time", func() {
		_, w := connect()
		defer w.end()
		Expect(w.Add(11)).To(Succeed())
		forks(11, 20, 5000)(w)
		blind := w.connectorSource.lookup
		w.connectorSource.lookup = func(pid int) (process.Row, error) {
			w.connectorSource.lookup = blind
			forks(20, 21, 5010)(w)
			w.receive()
			return blind(pid)
		}
		Expect(append(notices(w), notices(w)...)).To(HaveExactElements(forked(20), And(HaveField("PID", 20), HaveField("Child", 21))))
	})

	It("has done nothing while it was not watched", func() {
		_, w := connect()
		defer w.end()
		Expect(w.Add(11)).To(Succeed())
		w.Remove(11)
		forks(11, 20, 5000)(w)
		Expect(w.Add(11)).To(Succeed())
		forks(11, 21, 5010)(w)
		Expect(notices(w)).To(HaveExactElements(forked(21)))
	})

	It("makes no child that is missed while a watch of it is refused", func() {
		r, w := connect()
		defer w.end()
		blind := w.connectorSource.lookup
		w.connectorSource.lookup = func(pid int) (process.Row, error) {
			if pid == 11 {
				return process.Row{}, fs.ErrPermission
			}
			return blind(pid)
		}
		tree := r.Track(10)
		forks(11, 20, 5000)(w)
		w.connectorSource.lookup = blind
		r.HappensLater(core.SlowBeat)
		forks(11, 21, 5010)(w)
		r.Run()
		Expect(rehearsal.Links(tree)).To(And(HaveKeyWithValue(20, "child of 11"), HaveKeyWithValue(21, "child of 11")))
	})

	DescribeTable("has its start time, though the child could not be looked up", func(failure error) {
		r, w := connect()
		defer w.end()
		sighted := w.connectorSource.lookup
		w.connectorSource.lookup = func(pid int) (process.Row, error) {
			if pid == 20 {
				return process.Row{}, failure
			}
			return sighted(pid)
		}
		tree := r.Track(10)
		forks(11, 20, 5000)(w)
		r.Run()
		w.connectorSource.lookup = sighted
		r.Follower.Recheck(tree.Tree)
		r.Run()
		Expect(tree.Members()).To(ContainElement(And(HaveField("PID", 20), HaveField("Start", process.StartTime(5000)))))
		exits(20)(w)
		r.Run()
		Expect(rehearsal.Links(tree)).NotTo(HaveKey(20))
	},
		Entry("for want of a descriptor", unix.EMFILE),
		Entry("because it was hidden", fs.ErrPermission),
	)
})
