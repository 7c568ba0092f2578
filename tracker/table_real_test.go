//go:build darwin || linux

package tracker

import (
	"os"
	"slices"
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/tracker/process"
)

// look returns what the kernel says of a process that is there.
func look(ctx SpecContext, pid int) process.Process {
	GinkgoHelper()
	return sure(ctx, func() (process.Process, error) { return process.Lookup(pid) })
}

var _ = Describe("The process table", func() {
	It("knows us", func(ctx SpecContext) {
		us := look(ctx, os.Getpid())
		Expect(us.PID).To(Equal(os.Getpid()))
		Expect(us.Parent).To(Equal(os.Getppid()))
		Expect(us.User).To(Equal(os.Geteuid()))
		Expect(us.State).To(Equal(process.Running))
		Expect(us.Start).NotTo(BeZero())
		Expect(us.Boot).To(Equal(sure(ctx, process.Boot)))
		Expect(sure(ctx, func() (int, error) { return process.Parent(os.Getpid()) })).To(Equal(os.Getppid()))
	}, patience)

	It("lists everybody once, us and PID 1 among them", func(ctx SpecContext) {
		var pids []int
		for _, p := range sure(ctx, process.Table) {
			Expect(p.PID).To(BeNumerically(">", 0))
			Expect(p.Boot).NotTo(BeEmpty())
			pids = append(pids, p.PID)
		}
		Expect(pids).To(ContainElements(1, os.Getpid()))
		slices.Sort(pids)
		Expect(slices.Compact(slices.Clone(pids))).To(Equal(pids))
	}, patience)

	It("lists hundreds of processes, more than were there at the last look", func(ctx SpecContext) {
		t, err := process.OpenReader()
		Expect(err).NotTo(HaveOccurred())
		defer t.Close()
		sure(ctx, func() ([]process.Row, error) { return t.Read(nil) })
		r := perl(1, `child { report("child $$"); wait_at(0) } for 1 .. 400; wait_at(0)`)
		crowd := r.crowd(400)
		var found []int
		for _, p := range sure(ctx, func() ([]process.Row, error) { return t.Read(nil) }) {
			if p.Parent == r.Pid {
				found = append(found, p.PID)
			}
		}
		slices.Sort(found)
		Expect(found).To(Equal(crowd))
	}, patience)

	It("is read again without making garbage", func(ctx SpecContext) {
		t, err := process.OpenReader()
		Expect(err).NotTo(HaveOccurred())
		defer t.Close()
		k := newSystemOf(nil, t)
		r := perl(1, `child { report("child $$"); wait_at(0) } for 1 .. 400; wait_at(0)`)
		r.crowd(400)
		rows := sure(ctx, func() ([]process.Row, error) {
			rows, _, err := k.read(make([]process.Row, 0, 10_000))
			return rows, err
		})
		// The name of a command that was not there before is kept, and on a busy
		// machine most reads find one. One that finds none tells.
		Eventually(ctx, func() float64 {
			return testing.AllocsPerRun(1, func() { rows, _, err = k.read(rows[:0]) })
		}).Should(BeZero())
		Expect(faulty || err == nil).To(BeTrue(), "%v", err)
	}, patience)

	It("shows where a process stands, and how far it is", func(ctx SpecContext) {
		r := perl(3, `
			my $zombie = child { wait_at(1) };
			my $stopped = child { kill STOP => $$; wait_at(2) };
			my $leader = child { POSIX::setsid(); report("leader $$"); wait_at(2) };
			report("zombie $zombie"); report("stopped $stopped");
			wait_at(0)
		`)
		who := r.persons(3)
		r.open(1)
		Eventually(ctx, func() (process.Process, error) { return process.Lookup(who["zombie"]) }).Should(HaveField("State", process.Zombie))
		Eventually(ctx, func() (process.Process, error) { return process.Lookup(who["stopped"]) }).Should(HaveField("State", process.Stopped))
		leader := look(ctx, who["leader"])
		Expect(leader.State).To(Equal(process.Running))
		Expect(leader.Parent).To(Equal(r.Pid))
		Expect(leader.Group).To(Equal(leader.PID))
		Expect(leader.Session).To(Equal(leader.PID))
		Expect(look(ctx, who["zombie"]).Parent).To(Equal(r.Pid))
		r.open(2)
		continueProcess(who["stopped"])
	}, patience)

	It("answers gone for who was reaped, and for what is no PID", func(ctx SpecContext) {
		r := perl(0, ``)
		r.reap()
		for _, pid := range []int{r.Pid, 0, -1, 1 << 30} {
			Eventually(ctx, func() error { _, err := process.Lookup(pid); return err }).Should(MatchError(process.ErrGone), "PID %d", pid)
			_, err := process.Parent(pid)
			Expect(faulty || err != nil).To(BeTrue())
			_, err = process.Ancestors(pid)
			Expect(faulty || err != nil).To(BeTrue())
			_, err = process.IsDescendant(pid, 1)
			Expect(faulty || err != nil).To(BeTrue())
		}
	}, patience)
})

var _ = Describe("Descent", func() {
	isDescendant := func(ctx SpecContext, pid, root int) bool {
		GinkgoHelper()
		return sure(ctx, func() (bool, error) { return process.IsDescendant(pid, root) })
	}

	It("is told through any number of generations", func(ctx SpecContext) {
		if faulty {
			Skip("of hundreds of look-ups one would fail")
		}
		const deep = 120
		r := perl(1, `
			sub chain { my $left = shift; child { chain($left - 1) } if $left; report("link$left $$"); wait_at(0) }
			chain(120)
		`)
		line := r.persons(deep + 1)
		leaf := line["link0"]
		ancestors := sure(ctx, func() ([]process.Process, error) { return process.Ancestors(leaf) })
		for i := range deep {
			Expect(ancestors[i].PID).To(Equal(line["link"+itoa(i+1)]))
		}
		Expect(ancestors[deep].PID).To(Equal(os.Getpid()))
		Expect(ancestors[len(ancestors)-1].PID).To(Equal(1))
		Expect(isDescendant(ctx, leaf, r.Pid)).To(BeTrue())
		Expect(isDescendant(ctx, leaf, os.Getpid())).To(BeTrue())
		Expect(isDescendant(ctx, leaf, 1)).To(BeTrue())
		Expect(isDescendant(ctx, r.Pid, leaf)).To(BeFalse())
		Expect(isDescendant(ctx, leaf, leaf)).To(BeFalse())
	}, patience)

	It("of an orphan is not told by its parents", func(ctx SpecContext) {
		r := perl(2, `child { child { report("leaf $$"); wait_at(1) } }; wait; wait_at(0)`)
		_, leaf := r.person()
		Eventually(ctx, func() (bool, error) { return process.IsDescendant(leaf, r.Pid) }).Should(BeFalse())
		Expect(isDescendant(ctx, leaf, 1)).To(BeTrue())
		r.open(1)
	}, patience)

	It("of PID 1 is from nobody", func(ctx SpecContext) {
		Expect(sure(ctx, func() ([]process.Process, error) { return process.Ancestors(1) })).To(BeEmpty())
		Expect(isDescendant(ctx, 1, 1)).To(BeFalse())
	}, patience)

	It("is never told wrongly while ancestors die", func(ctx SpecContext) {
		// Each process of the line dies when the next one was made.
		r := perl(1, `
			for (1 .. 300) { POSIX::_exit(0) if fork }
			report("leaf $$"); wait_at(0)
		`)
		for range 200 {
			ancestors := sure(ctx, func() ([]process.Process, error) { return process.Ancestors(r.Pid) })
			Expect(ancestors[0].PID).To(Equal(os.Getpid()))
		}
		_, leaf := r.person()
		Expect(isDescendant(ctx, leaf, 1)).To(BeTrue())
		Expect(isDescendant(ctx, leaf, r.Pid)).To(BeFalse())
	}, patience)
})
