//go:build darwin || linux

package process_test

import (
	"os"
	"slices"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/internal/testproc"
	"github.com/gemini-monitor/gemini/tracker/process"
)

var _ = Describe("The process table", func() {
	It("finds this process", func(ctx SpecContext) {
		us := testproc.Look(ctx, os.Getpid())
		Expect(us.PID).To(Equal(os.Getpid()))
		Expect(us.Parent).To(Equal(os.Getppid()))
		Expect(us.User).To(Equal(os.Geteuid()))
		Expect(us.State).To(Equal(process.Running))
		Expect(us.Start).NotTo(BeZero())
		Expect(us.Boot).To(Equal(testproc.Sure(ctx, process.Boot)))
		Expect(testproc.Sure(ctx, func() (int, error) { return process.Parent(os.Getpid()) })).To(Equal(os.Getppid()))
		for range 2 { // the first asks the kernel
			Expect(testproc.Sure(ctx, process.Self)).To(Equal(us.Identity))
		}
	}, testproc.Patience)

	It("lists each process once, this one and PID 1 among them", func(ctx SpecContext) {
		var pids []int
		for _, p := range testproc.Sure(ctx, process.Table) {
			Expect(p.PID).To(BeNumerically(">", 0))
			Expect(p.Boot).NotTo(BeEmpty())
			pids = append(pids, p.PID)
		}
		Expect(pids).To(ContainElements(1, os.Getpid()))
		slices.Sort(pids)
		Expect(slices.Compact(slices.Clone(pids))).To(Equal(pids))
	}, testproc.Patience)

	It("lists hundreds of processes, more than were there at the last look", func(ctx SpecContext) {
		t, err := process.OpenReader()
		Expect(err).NotTo(HaveOccurred())
		defer t.Close()
		testproc.Sure(ctx, func() ([]process.Row, error) { return t.Read(nil) })
		r, crowd := testproc.Children(400)
		var found []int
		for _, p := range testproc.Sure(ctx, func() ([]process.Row, error) { return t.Read(nil) }) {
			if p.Parent == r.Pid {
				found = append(found, p.PID)
			}
		}
		slices.Sort(found)
		Expect(found).To(Equal(crowd))
	}, Serial, testproc.Patience)

	It("shows where a process stands, and how far it is", func(ctx SpecContext) {
		r := testproc.Perl(3, `
			my $zombie = child { wait_at(1) };
			my $stopped = child { kill STOP => $$; wait_at(2) };
			my $leader = child { POSIX::setsid(); report("leader $$"); wait_at(2) };
			report("zombie $zombie"); report("stopped $stopped");
			wait_at(0)
		`)
		who := r.Persons(3)
		r.Open(1)
		Eventually(ctx, func() (process.Process, error) { return process.Lookup(who["zombie"]) }).Should(HaveField("State", process.Zombie))
		Eventually(ctx, func() (process.Process, error) { return process.Lookup(who["stopped"]) }).Should(HaveField("State", process.Stopped))
		leader := testproc.Look(ctx, who["leader"])
		Expect(leader.State).To(Equal(process.Running))
		Expect(leader.Parent).To(Equal(r.Pid))
		Expect(leader.Group).To(Equal(leader.PID))
		Expect(leader.Session).To(Equal(leader.PID))
		Expect(testproc.Look(ctx, who["zombie"]).Parent).To(Equal(r.Pid))
		r.Open(2)
		testproc.Continue(who["stopped"])
	}, testproc.Patience)

	It("answers gone for a process that was reaped, and for what is no PID", func(ctx SpecContext) {
		r := testproc.Perl(0, ``)
		r.Reap()
		for _, pid := range []int{r.Pid, 0, -1, 1 << 30} {
			Eventually(ctx, func() error { _, err := process.Lookup(pid); return err }).Should(MatchError(process.ErrGone), "PID %d", pid)
			Eventually(ctx, func() error { _, err := process.Parent(pid); return err }).Should(MatchError(process.ErrGone), "PID %d", pid)
			Eventually(ctx, func() error { _, err := process.Ancestors(pid); return err }).Should(MatchError(process.ErrGone), "PID %d", pid)
			Eventually(ctx, func() error { _, err := process.IsDescendant(pid, 1); return err }).Should(MatchError(process.ErrGone), "PID %d", pid)
		}
	}, testproc.Patience)
})

var _ = Describe("Descent", func() {
	isDescendant := func(ctx SpecContext, pid, root int) bool {
		GinkgoHelper()
		return testproc.Sure(ctx, func() (bool, error) { return process.IsDescendant(pid, root) })
	}

	It("is found through any number of generations", func(ctx SpecContext) {
		if testproc.Faulty {
			Skip("of hundreds of look-ups one would fail")
		}
		deep := testproc.RoomFor(120)
		r := testproc.Perl(1, `
			sub chain { my $left = shift; child { chain($left - 1) } if $left; report("link$left $$"); wait_at(0) }
			chain($ARGV[0])
		`, testproc.Itoa(deep))
		line := r.Persons(deep + 1)
		leaf := line["link0"]
		ancestors := testproc.Sure(ctx, func() ([]process.Process, error) { return process.Ancestors(leaf) })
		for i := range deep {
			Expect(ancestors[i].PID).To(Equal(line["link"+testproc.Itoa(i+1)]))
		}
		Expect(ancestors[deep].PID).To(Equal(os.Getpid()))
		Expect(ancestors[len(ancestors)-1].PID).To(Equal(1))
		Expect(isDescendant(ctx, leaf, r.Pid)).To(BeTrue())
		Expect(isDescendant(ctx, leaf, os.Getpid())).To(BeTrue())
		Expect(isDescendant(ctx, leaf, 1)).To(BeTrue())
		Expect(isDescendant(ctx, r.Pid, leaf)).To(BeFalse())
		Expect(isDescendant(ctx, leaf, leaf)).To(BeFalse())
	}, Serial, testproc.Patience)

	It("of an orphan is not found through its parents", func(ctx SpecContext) {
		r := testproc.Perl(2, `child { child { report("leaf $$"); wait_at(1) } }; wait; wait_at(0)`)
		_, leaf := r.Person()
		Eventually(ctx, func() (bool, error) { return process.IsDescendant(leaf, r.Pid) }).Should(BeFalse())
		Expect(isDescendant(ctx, leaf, 1)).To(BeTrue())
		r.Open(1)
	}, testproc.Patience)

	It("of PID 1 is from no process", func(ctx SpecContext) {
		Expect(testproc.Sure(ctx, func() ([]process.Process, error) { return process.Ancestors(1) })).To(BeEmpty())
		Expect(isDescendant(ctx, 1, 1)).To(BeFalse())
	}, testproc.Patience)

	It("is never wrong while ancestors die", func(ctx SpecContext) {
		// Each process of the line dies when the next one was made.
		r := testproc.Perl(1, `
			for (1 .. 300) { POSIX::_exit(0) if fork }
			report("leaf $$"); wait_at(0)
		`)
		for range 200 {
			ancestors := testproc.Sure(ctx, func() ([]process.Process, error) { return process.Ancestors(r.Pid) })
			Expect(ancestors[0].PID).To(Equal(os.Getpid()))
		}
		_, leaf := r.Person()
		Expect(isDescendant(ctx, leaf, 1)).To(BeTrue())
		Expect(isDescendant(ctx, leaf, r.Pid)).To(BeFalse())
	}, testproc.Patience)
})
