//go:build darwin || linux

package process_test

import (
	"os"
	"syscall"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/internal/testproc"
	"github.com/gemini-monitor/gemini/tracker/process"
)

var _ = Describe("A signal to a process", func() {
	signal := func(ctx SpecContext, id process.Identity, sig syscall.Signal) error {
		_, err := testproc.Insist(ctx, func() (struct{}, error) { return struct{}{}, id.Signal(sig) })
		return err
	}

	It("ends it", func(ctx SpecContext) {
		r := testproc.Perl(1, `report("root $$"); wait_at(0)`)
		r.Persons(1)
		id := testproc.Look(ctx, r.Pid).Identity
		Expect(signal(ctx, id, 0)).To(Succeed())
		Expect(r.Oracle.Held()).To(BeTrue())
		Expect(signal(ctx, id, syscall.SIGTERM)).To(Succeed())
		Eventually(ctx, r.Oracle.Held).Should(BeFalse())
	}, testproc.Patience)

	It("is refused for a zombie, and for one that was reaped", func(ctx SpecContext) {
		r := testproc.Perl(1, `wait_at(0)`)
		id := testproc.Look(ctx, r.Pid).Identity
		r.Open(0)
		Eventually(ctx, func() (process.Process, error) { return process.Lookup(r.Pid) }).Should(HaveField("State", process.Zombie))
		Expect(signal(ctx, id, syscall.SIGTERM)).To(MatchError(process.ErrGone))
		r.Reap()
		Expect(signal(ctx, id, syscall.SIGTERM)).To(MatchError(process.ErrGone))
	}, testproc.Patience)

	It("does not reach another process that has the PID", func(ctx SpecContext) {
		us := testproc.Look(ctx, os.Getpid()).Identity
		Expect(signal(ctx, us, 0)).To(Succeed())
		us.Start-- // an earlier process with our PID
		Expect(signal(ctx, us, 0)).To(MatchError(process.ErrGone))
	}, testproc.Patience)

	It("does not reach the next process that has the PID", Label("reuse"), func(ctx SpecContext) {
		r := testproc.Perl(1, `wait_at(0)`)
		id := testproc.Look(ctx, r.Pid).Identity
		r.Open(0)
		r.Reap()
		exit, err := testproc.ReusePID(r.Pid)
		if err != nil {
			Skip("PIDs cannot be re-used here: " + err.Error())
		}
		Expect(exit).NotTo(BeNil())
		next := testproc.Look(ctx, r.Pid)
		Expect(signal(ctx, id, syscall.SIGKILL)).To(MatchError(process.ErrGone))
		Expect(testproc.Look(ctx, r.Pid)).To(HaveField("Identity", next.Identity))
		Expect(signal(ctx, next.Identity, 0)).To(Succeed())
		exit()
	}, testproc.Patience)
})
