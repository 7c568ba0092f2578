package conformance

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/internal/core"
	"github.com/gemini-monitor/gemini/internal/testproc"
	"github.com/gemini-monitor/gemini/tracker/process"
)

// A fact is something about kernels that the tracker relies on.
type fact struct {
	claim string
	check func(context.Context, *stage)
	// except has the kernels where the fact does not hold: why not, and what
	// holds there instead (nil: nothing that could be checked).
	except map[process.Forks]exception
	// probe: it is about XNU alone, so what other kernels do proves little.
	probe bool
	// needs are labels: what a place must have.
	needs ginkgo.Labels
}

type exception struct {
	why     string
	instead func(context.Context, *stage)
}

// Specs checks the facts on a kernel, each in a world of its own.
// What a kernel reports of forks shows which one it is: announced is XNU, named is
// Linux with the proc connector, unseen Linux with pidfds. The labels in needs
// name what the world asks of the place where the specs run.
func Specs(name string, newWorld func() World, needs ...string) {
	ginkgo.Describe("On "+name, ginkgo.Label("conformance"), ginkgo.Label(needs...), func() {
		for _, f := range facts {
			ginkgo.It(f.claim, f.labels(), func(ctx ginkgo.SpecContext) {
				s := newStage(ctx, newWorld())
				e, excepted := f.except[s.kernel.Forks()]
				switch {
				case !excepted:
					f.check(ctx, s)
				case e.instead == nil:
					ginkgo.Skip(e.why)
				default:
					ginkgo.AddReportEntry("exception", e.why, ginkgo.ReportEntryVisibilityFailureOrVerbose)
					e.instead(ctx, s)
				}
			}, testproc.Patience)
		}
	})
}

// labels are what the fact needs, and whether some kernels have no such fact.
func (f fact) labels() ginkgo.Labels {
	labels := slices.Clone(f.needs)
	if f.probe {
		labels = append(labels, "probe")
	}
	for _, e := range f.except {
		if e.instead == nil {
			return append(labels, "some-kernels")
		}
	}
	return labels
}

// A stage is a world and its kernel, with what was noticed so far.
type stage struct {
	World
	ctx     context.Context
	kernel  core.Kernel
	noticed []core.Notice
}

func newStage(ctx context.Context, w World) *stage {
	s := &stage{World: w, ctx: ctx, kernel: w.Open()}
	ginkgo.DeferCleanup(func() { gomega.Expect(s.kernel.Close()).To(gomega.Succeed()) })
	return s
}

// watch has the kernel watch a process.
func (s *stage) watch(pid int) error {
	_, err := testproc.Insist(s.ctx, func() (struct{}, error) { return struct{}{}, s.kernel.Add(pid) })
	return err
}

// watchedChild spawns a watched process of the world's own.
func (s *stage) watchedChild() int {
	ginkgo.GinkgoHelper()
	pid := s.Spawn(0)
	gomega.Expect(s.watch(pid)).To(gomega.Succeed())
	return pid
}

// next takes the notices that are there, waiting a moment if there are none.
func (s *stage) next(timeout time.Duration) {
	notices, err := s.kernel.Next(nil, timeout)
	gomega.Expect(err).NotTo(gomega.HaveOccurred())
	s.noticed = append(s.noticed, notices...)
}

// await takes notices until all of the events of a process were announced.
func (s *stage) await(ctx context.Context, pid int, events process.Events) {
	ginkgo.GinkgoHelper()
	for !s.of(pid).Has(events) {
		gomega.Expect(ctx.Err()).NotTo(gomega.HaveOccurred(), "%v of %d does not come, only %v", events, pid, s.noticed)
		s.next(10 * time.Millisecond)
	}
}

// fence takes notices until everything that happened up to now was announced:
// notices keep their order, so one that is caused now comes last.
func (s *stage) fence(ctx context.Context) {
	ginkgo.GinkgoHelper()
	last := s.watchedChild()
	s.Exit(last)
	s.await(ctx, last, process.Exited)
	s.Reap(0, last)
}

// of returns all that was announced of a process.
func (s *stage) of(pid int) (all process.Events) {
	for _, n := range s.noticed {
		if n.PID == pid {
			all |= n.Events
		}
	}
	return all
}

// exits counts how often the end of a process was announced.
func (s *stage) exits(pid int) (count int) {
	for _, n := range s.noticed {
		if n.PID == pid && n.Events.Has(process.Exited) {
			count++
		}
	}
	return count
}

// read returns the table by PID, and fails if a PID is in it twice.
func (s *stage) read() map[int]process.Row {
	ginkgo.GinkgoHelper()
	rows := testproc.Sure(s.ctx, func() ([]process.Row, error) { rows, _, err := s.kernel.Read(nil); return rows, err })
	table := make(map[int]process.Row)
	for _, row := range rows {
		gomega.Expect(table).NotTo(gomega.HaveKey(row.PID), "two rows have PID %d", row.PID)
		table[row.PID] = row
	}
	return table
}

// inhabited reports whether a process is in one of some groups and sessions.
func (s *stage) inhabited(ids ...int) bool {
	ginkgo.GinkgoHelper()
	set := make(map[int]bool)
	for _, id := range ids {
		set[id] = true
	}
	found, _, err := s.kernel.Inhabited(set)
	gomega.Expect(err).NotTo(gomega.HaveOccurred())
	return found
}

func (s *stage) lookup(pid int) process.Row {
	ginkgo.GinkgoHelper()
	return testproc.Sure(s.ctx, func() (process.Row, error) { return s.kernel.Lookup(pid) })
}

// gone expects that no process has a PID.
func (s *stage) gone(pid int) {
	ginkgo.GinkgoHelper()
	_, err := testproc.Insist(s.ctx, func() (process.Row, error) { return s.kernel.Lookup(pid) })
	gomega.Expect(err).To(gomega.Equal(process.ErrGone))
}

// becomes waits until the row of a process shows a state.
func (s *stage) becomes(ctx context.Context, pid int, state process.State) {
	ginkgo.GinkgoHelper()
	gomega.Eventually(ctx, func() (process.State, error) {
		p, err := s.kernel.Lookup(pid)
		return p.State, err
	}).Should(gomega.Equal(state), fmt.Sprintf("process %d", pid))
}

// vanishes waits until no process has a PID any more.
func (s *stage) vanishes(ctx context.Context, pid int) {
	ginkgo.GinkgoHelper()
	gomega.Eventually(ctx, func() error {
		_, err := s.kernel.Lookup(pid)
		return err
	}).Should(gomega.MatchError(process.ErrGone), "process %d", pid)
}
