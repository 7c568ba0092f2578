package kernel

import (
	"os/exec"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"golang.org/x/sys/unix"

	"github.com/gemini-monitor/gemini/internal/core"
	"github.com/gemini-monitor/gemini/internal/testproc"
	"github.com/gemini-monitor/gemini/tracker/process"
)

var _ = Describe("While the reader of the proc connector rests", Label("linux", "connector"), func() {
	// longRest reports whether the reader rests for an hour. Only a batch makes that of half
	// an hour. Events of strangers let shorter rests grow again.
	longRest := func(s *connectorSource) bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.arms.resting && s.pace.rest == time.Hour
	}
	// resting returns a source whose reader rests for an hour if it is not disturbed, and
	// that watches a process.
	resting := func(ctx SpecContext, pid int) *connectorSource {
		GinkgoHelper()
		s := testproc.Opened(mechanisms[0].open()).(*connectorSource)
		DeferCleanup(s.Close)
		s.Inherit()
		Expect(s.Add(pid)).To(Succeed())
		s.mu.Lock()
		s.pace.longest = time.Hour
		s.mu.Unlock()
		Eventually(ctx, func() bool {
			s.mu.Lock()
			s.pace.rest = max(s.pace.rest, time.Hour/2)
			s.mu.Unlock()
			Expect(exec.CommandContext(ctx, "true").Run()).To(Succeed()) // an event of a stranger
			Expect(s.Next(nil, 0)).To(BeEmpty())
			return longRest(s)
		}).Should(BeTrue())
		return s
	}
	next := func(s *connectorSource) []core.Notice {
		GinkgoHelper()
		for {
			notices, err := s.Next(nil, core.Forever)
			Expect(err).NotTo(HaveOccurred())
			if len(notices) > 0 {
				return notices
			}
		}
	}

	It("the end of a watched process is known at once", func(ctx SpecContext) {
		r := testproc.Perl(1, `report("root $$"); wait_at(0)`)
		r.Persons(1)
		s := resting(ctx, r.Pid)
		r.Open(0)
		Expect(next(s)).To(ConsistOf(core.Notice{PID: r.Pid, Events: process.Exited}))
	}, testproc.Patience)

	It("what a process did before its end is known with its end, and its child ends the rest", func(ctx SpecContext) {
		r := testproc.Perl(3, `report("root $$"); wait_at(0); my $c = child { wait_at(1) }; report("child $c"); wait_at(2)`)
		r.Person()
		s := resting(ctx, r.Pid)
		r.Open(0)
		_, child := r.Person()
		Expect(longRest(s)).To(BeTrue(), "nothing has told of the fork")
		Eventually(ctx, s.Lags).Should(BeTrue())
		r.Open(2)
		notices := next(s)
		for len(notices) < 2 {
			notices = append(notices, next(s)...)
		}
		Expect(notices).To(HaveExactElements(
			And(HaveField("PID", r.Pid), HaveField("Child", child)),
			core.Notice{PID: r.Pid, Events: process.Exited},
		))
		Expect(longRest(s)).To(BeFalse())
		r.Open(1)
		Expect(next(s)).To(ConsistOf(core.Notice{PID: child, Events: process.Exited}))
	}, testproc.Patience)

	It("a process that is watched newly ends the rest", func(ctx SpecContext) {
		r, other := testproc.Perl(1, `report("root $$"); wait_at(0)`), testproc.Perl(1, `report("root $$"); wait_at(0)`)
		r.Persons(1)
		other.Persons(1)
		s := resting(ctx, r.Pid)
		Expect(s.Add(other.Pid)).To(Succeed())
		Expect(longRest(s)).To(BeFalse())
		other.Open(0)
		Expect(next(s)).To(ConsistOf(core.Notice{PID: other.Pid, Events: process.Exited}))
		r.Open(0)
	}, testproc.Patience)

	It("a wake and a close are not held up", func(ctx SpecContext) {
		r := testproc.Perl(1, `report("root $$"); wait_at(0)`)
		r.Persons(1)
		s := resting(ctx, r.Pid)
		s.Wake()
		Expect(s.Next(nil, core.Forever)).To(BeEmpty())
		r.Open(0)
	}, testproc.Patience)
})

var _ = Describe("A process without a pidfd", Label("linux", "connector"), func() {
	It("keeps the rest short", func(ctx SpecContext) {
		r := testproc.Perl(1, `report("root $$"); wait_at(0)`)
		r.Persons(1)
		s := testproc.Opened(mechanisms[0].open()).(*connectorSource)
		DeferCleanup(s.Close)
		s.Inherit()
		Expect(s.Add(r.Pid)).To(Succeed())
		var limit unix.Rlimit
		Expect(unix.Getrlimit(unix.RLIMIT_NOFILE, &limit)).To(Succeed())
		Expect(s.pidfds.addSparing(r.Pid, limit.Cur)).To(MatchError(unix.EMFILE), "the descriptor is beyond the share")
		Expect(s.pidfds.pidfds).To(BeEmpty())
		r.Open(0)
	}, testproc.Patience)
})
