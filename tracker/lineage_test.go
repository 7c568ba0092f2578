//go:build darwin || linux

package tracker

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/internal/rehearsal"
	"github.com/gemini-monitor/gemini/internal/testproc"
	"github.com/gemini-monitor/gemini/tracker/process"
)

var _ = withTracker("An orphan in a session of its own", func(open func() *Tracker) {
	It("is found although it was made before the first read, while its parent is a zombie", Label("probe", "lineage"), func(ctx SpecContext) {
		tracker := open()
		if !tracker.Capabilities().Lineage {
			Skip("this kernel does not remember the maker of an orphan")
		}
		r := testproc.Perl(2, `
			my $middle = child {
				POSIX::setpgid(0, 0);
				child { POSIX::setsid(); report("leaf $$"); wait_at(1) };
			};
			report("middle $middle");
			wait_at(0)
		`)
		pids := r.Persons(2)
		Eventually(ctx, func() process.State { return testproc.Look(ctx, pids["middle"]).State }).Should(Equal(process.Zombie))
		tree := follow(ctx, tracker, r.Pid)
		members(ctx, tree, r.Pid, pids["leaf"])
		Expect(rehearsal.Links(tree)[pids["leaf"]]).To(HaveSuffix("that %d made", pids["middle"]))
		ended := ends(ctx, tree, r.Oracle)
		r.Open(0)
		lives(ctx, tree, r.Oracle)
		Expect(ended).NotTo(Receive())
		r.Open(1)
		Eventually(ctx, ended).Should(Receive(Equal(inTime)))
	}, testproc.Patience)

	It("is not lost when a known parent is gone as soon as it has forked", Label("probe", "named-forks", "lineage"), func(ctx SpecContext) {
		tracker := open()
		if c := tracker.Capabilities(); !c.Lineage && c.Forks != process.ForksNamed {
			Skip("here that is a documented limit")
		}
		r := testproc.Perl(3, `
			my $known = child {
				wait_at(2);
				child { POSIX::setsid(); report("leaf $$"); wait_at(1) };
			};
			report("known $known");
			waitpid $known, 0;
			report("reaped $known");
			wait_at(0)
		`)
		_, known := r.Person()
		tree := follow(ctx, tracker, r.Pid)
		members(ctx, tree, r.Pid, known)
		ended := ends(ctx, tree, r.Oracle)
		r.Open(2)
		pids := r.Persons(2)
		r.Open(0)
		members(ctx, tree, pids["leaf"])
		lives(ctx, tree, r.Oracle)
		Expect(ended).NotTo(Receive())
		r.Open(1)
		Eventually(ctx, ended).Should(Receive(Equal(inTime)))
	}, testproc.Patience)
})
