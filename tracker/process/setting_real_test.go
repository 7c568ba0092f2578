//go:build darwin || linux

package process_test

import (
	"errors"
	"io/fs"
	"os"
	"syscall"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/internal/testproc"
	"github.com/gemini-monitor/gemini/tracker/process"
)

var _ = Describe("The environment of a process", func() {
	const variable, other = "MARK_OF_A_SPEC", "OTHER_OF_A_SPEC"
	var reader *process.Reader

	BeforeEach(func() {
		var err error
		reader, err = process.OpenReader()
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(reader.Close)
	})

	settings := func(ctx SpecContext, id process.Identity) ([]string, error) {
		return testproc.Insist(ctx, func() ([]string, error) { return reader.Settings(id, variable) })
	}
	perl := func(script string, args ...string) *testproc.Root {
		return testproc.Lead(1, testproc.PerlCue(script, args...).With(other+"=y", variable+"=x"))
	}

	It("is that of its program, also for a child that has run none", func(ctx SpecContext) {
		r := perl(`report("root $$"); child { report("child $$"); wait_at(0) }; wait_at(0); wait`)
		for name, pid := range r.Persons(2) {
			Expect(settings(ctx, testproc.Look(ctx, pid).Identity)).To(Equal([]string{"x"}), name)
		}
	}, testproc.Patience)

	It("is replaced by an exec", func(ctx SpecContext) {
		after := `syswrite STDOUT, "after $$\n"; open my $gate, "<&", 4; sysread $gate, my $byte, 1`
		r := perl(`report("before $$"); exec "env", "-i", "A=1", $^X, "-e", $ARGV[0]`, after)
		r.Persons(2)
		Expect(settings(ctx, testproc.Look(ctx, r.Pid).Identity)).To(BeEmpty())
	}, testproc.Patience)

	It("is that of the process before or after, or of none, while one program follows the other", func(ctx SpecContext) {
		again := `exec $^X, "-e", $ARGV[0], $ARGV[0]`
		r := perl(again, again)
		id := testproc.Look(ctx, r.Pid).Identity
		seen := 0
		for range 5000 {
			values, err := settings(ctx, id)
			if errors.Is(err, process.ErrBetween) {
				continue
			}
			Expect(err).NotTo(HaveOccurred())
			Expect(values).To(Equal([]string{"x"}))
			seen++
		}
		Expect(seen).NotTo(BeZero())
	}, testproc.Patience)

	It("is not shown for a zombie, nor for another process that has the PID", func(ctx SpecContext) {
		r := perl(`wait_at(0)`)
		id := testproc.Look(ctx, r.Pid).Identity
		earlier := id
		earlier.Start--
		_, err := settings(ctx, earlier)
		Expect(err).To(MatchError(process.ErrGone))
		r.Open(0)
		Eventually(ctx, func() (process.Process, error) { return process.Lookup(r.Pid) }).Should(HaveField("State", process.Zombie))
		_, err = settings(ctx, id)
		Expect(err).To(MatchError(process.ErrGone))
		r.Reap()
		_, err = settings(ctx, id)
		Expect(err).To(MatchError(process.ErrGone))
	}, testproc.Patience)

	It("of another user's process is shown to root alone", func(ctx SpecContext) {
		if os.Geteuid() != 0 {
			_, err := settings(ctx, testproc.Look(ctx, 1).Identity)
			Expect(err).To(MatchError(fs.ErrPermission))
			return
		}
		const unprivileged = 65534
		cue := testproc.PerlCue(`report("root $$"); wait_at(0)`).With(variable + "=x")
		cue.Sys = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: unprivileged, Gid: unprivileged}}
		r := testproc.Lead(1, cue)
		r.Persons(1)
		Expect(settings(ctx, testproc.Look(ctx, r.Pid).Identity)).To(Equal([]string{"x"}))
	}, testproc.Patience)
})
