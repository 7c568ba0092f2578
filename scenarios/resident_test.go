//go:build darwin || linux

package scenarios_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/harness"
	"github.com/gemini-monitor/gemini/scenarios/internal/monitors"
)

// The specs about the resident monitor use what is here.

// expectPair waits until one resident and one guard are there, no more, and the resident
// answers.
func expectPair(ctx context.Context) (pair monitors.Pair) {
	GinkgoHelper()
	Eventually(ctx, func(g Gomega) {
		residents, guards, err := gemini.Processes()
		g.Expect(err).NotTo(HaveOccurred())
		pair, err = gemini.Pair(ctx)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(residents).To(ConsistOf(pair.Resident))
		g.Expect(guards).To(ConsistOf(pair.Guard))
	}).Should(Succeed())
	return pair
}

// expectSamePair waits until the resident and its guard are those of before, with as many
// runtimes. A runtime has gone from the store before the resident has done with it.
func expectSamePair(ctx context.Context, before monitors.Pair) {
	GinkgoHelper()
	after := expectPair(ctx)
	Expect([]int{after.Resident, after.Guard}).To(Equal([]int{before.Resident, before.Guard}))
	Eventually(ctx, gemini.Pair).Should(Equal(before))
}

// expectNoPair waits until no resident and no guard is left.
func expectNoPair(ctx context.Context) {
	GinkgoHelper()
	Eventually(ctx, func(g Gomega) {
		residents, guards, err := gemini.Processes()
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(append(residents, guards...)).To(BeEmpty())
	}).Should(Succeed())
}

// dismiss ends the resident in good order and waits until its guard has ended too.
func dismiss(ctx context.Context) {
	GinkgoHelper()
	Expect(stage.Signal(expectPair(ctx).Resident, syscall.SIGTERM)).To(Succeed())
	expectNoPair(ctx)
}

// fell kills processes at the same time: all are stopped before the first is killed, so that
// none acts on the death of another one.
func fell(ctx context.Context, pids ...int) {
	GinkgoHelper()
	for _, pid := range pids {
		Expect(stage.Signal(pid, syscall.SIGSTOP)).To(Succeed())
	}
	expectStopped(pids...)
	for _, pid := range pids {
		Expect(stage.Signal(pid, syscall.SIGKILL)).To(Succeed())
	}
	for _, pid := range pids {
		Eventually(ctx, func() error { return syscall.Kill(pid, 0) }).Should(MatchError(syscall.ESRCH))
	}
}

// A company is runtimes whose commands are puppets.
type company struct {
	job    *harness.Job // which started all
	names  []string     // of the runtimes, and of the puppets
	owners []*harness.Puppet
}

// startCrowd starts runtimes at once.
func startCrowd(count int) *company {
	GinkgoHelper()
	c := &company{job: stage.Start("sh", "-c", `i=0; while [ $((i += 1)) -le "$0" ]; do
			monitor run --name crowd-$i -- puppet crowd-$i || echo "crowd-$i: exit status $?" &
		done; wait`, fmt.Sprint(count))}
	for i := range count {
		c.names = append(c.names, fmt.Sprintf("crowd-%d", i+1))
	}
	for _, name := range c.names {
		c.owners = append(c.owners, stage.Puppet(name))
	}
	return c
}

// expectWatchedBy waits until the records of the crowd, and no others, name a monitor.
func (c *company) expectWatchedBy(ctx context.Context, pid int) {
	GinkgoHelper()
	Eventually(ctx, gemini.Monitors).Should(And(HaveLen(len(c.names)), HaveEach(pid)))
}

// expectKept checks that each runtime of the crowd exists while its puppet lives.
func (c *company) expectKept(ctx context.Context) {
	GinkgoHelper()
	passTime(ctx)
	there, err := monitor.List(ctx)
	Expect(err).NotTo(HaveOccurred())
	for _, owner := range c.owners {
		Expect(owner.Gone()).NotTo(BeClosed(), "the spec proves nothing: no process lives")
	}
	Expect(there).To(ConsistOf(c.names))
}

// leave ends the first puppets of the crowd, and checks that their runtimes are removed
// and the others are not.
func (c *company) leave(ctx context.Context, count int) {
	GinkgoHelper()
	for _, owner := range c.owners[:count] {
		owner.Exit(0)
	}
	c.names, c.owners = c.names[count:], c.owners[count:]
	Eventually(ctx, gemini.Monitors).Should(HaveLen(len(c.names)))
	if len(c.names) > 0 {
		c.expectKept(ctx)
		return
	}
	Expect(c.job.Wait()).To(Equal(harness.Status{}))
	Expect(c.job.Output()).To(BeEmpty())
	expectEmptyStore(ctx)
}

// events returns how often a journal has each event but for the states of the record. It
// checks that no process has joined twice.
func events(name string) map[string]int {
	GinkgoHelper()
	count, joined := map[string]int{}, map[[2]int64]bool{}
	for _, e := range gemini.Journal(name) {
		if e.Event == "state" {
			continue
		}
		count[e.Event]++
		if e.Event == "joined" {
			id := [2]int64{e.Member.PID, e.Member.Start}
			Expect(joined[id]).To(BeFalse(), "process %d has joined %s twice", e.Member.PID, name)
			joined[id] = true
		}
	}
	return count
}

// residentFiles returns the names of the resident's files in the store.
func residentFiles() (names []string) {
	found, _ := filepath.Glob(filepath.Join(gemini.Store, "resident*"))
	for _, path := range found {
		names = append(names, filepath.Base(path))
	}
	return names
}

// moveTo lets the commands that start from now on have another store.
func moveTo(store string) {
	gemini.Store = store
	stage.Setenv("MONITOR_STORE", store)
}

// exists reports whether a path leads to a file of any kind.
func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}
