//go:build darwin || linux

package process_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/internal/testproc"
	"github.com/gemini-monitor/gemini/tracker/process"
)

var _ = Describe("The arguments of a process", func() {
	var reader *process.Reader

	BeforeEach(func() {
		var err error
		reader, err = process.OpenReader()
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(reader.Close)
	})

	arguments := func(ctx SpecContext, id process.Identity) (process.Arguments, error) {
		return testproc.Insist(ctx, func() (process.Arguments, error) { return reader.Arguments(id) })
	}
	// words returns those of a process without the path and the script of its perl.
	words := func(ctx SpecContext, pid int) []string {
		GinkgoHelper()
		a, err := arguments(ctx, testproc.Look(ctx, pid).Identity)
		Expect(err).NotTo(HaveOccurred())
		Expect(a.Cut).To(BeFalse())
		Expect(len(a.Words)).To(BeNumerically(">", 3))
		return append([]string{filepath.Base(a.Words[0])}, a.Words[3:]...)
	}

	It("are those of its program, also for a child that has run none", func(ctx SpecContext) {
		r := testproc.Perl(1, `report("root $$"); child { report("child $$"); wait_at(0) }; wait_at(0); wait`, "a b", "", "\xff", "")
		for name, pid := range r.Persons(2) {
			Expect(words(ctx, pid)).To(Equal([]string{"perl", "a b", "", "\xff", ""}), name)
		}
	}, testproc.Patience)

	It("are replaced by an exec", func(ctx SpecContext) {
		after := `syswrite STDOUT, "after $$\n"; open my $gate, "<&", 4; sysread $gate, my $byte, 1`
		r := testproc.Perl(1, `report("before $$"); exec $^X, "-e", $ARGV[0], "later"`, after)
		r.Persons(2)
		Expect(words(ctx, r.Pid)).To(HaveExactElements("perl", "later"))
	}, testproc.Patience)

	It("are cut where they are long", func(ctx SpecContext) {
		r := testproc.Perl(1, `report("root $$"); wait_at(0)`, strings.Repeat("x", 100<<10))
		r.Persons(1)
		a, err := arguments(ctx, testproc.Look(ctx, r.Pid).Identity)
		Expect(err).NotTo(HaveOccurred())
		Expect(a.Cut).To(BeTrue())
		Expect(strings.Join(a.Words, " ")).To(And(ContainSubstring("perl -e "), HaveLen(4<<10), HaveSuffix("xxx")))
	}, testproc.Patience)

	It("are not shown for a zombie, nor for another process that has the PID", func(ctx SpecContext) {
		r := testproc.Perl(1, `wait_at(0)`)
		id := testproc.Look(ctx, r.Pid).Identity
		earlier := id
		earlier.Start--
		_, err := arguments(ctx, earlier)
		Expect(err).To(MatchError(process.ErrGone))
		r.Open(0)
		Eventually(ctx, func() (process.Process, error) { return process.Lookup(r.Pid) }).Should(HaveField("State", process.Zombie))
		_, err = arguments(ctx, id)
		Expect(err).To(MatchError(process.ErrGone))
		r.Reap()
		_, err = arguments(ctx, id)
		Expect(err).To(MatchError(process.ErrGone))
	}, testproc.Patience)

	It("are those of the program before or after, or none, while one follows the other", func(ctx SpecContext) {
		again := `exec $^X, "-e", $ARGV[0], $ARGV[0]`
		r := testproc.Perl(1, again, again)
		id := testproc.Look(ctx, r.Pid).Identity
		seen := 0
		for range 2000 {
			a, err := arguments(ctx, id)
			if errors.Is(err, process.ErrBetween) || err == nil && a.Words == nil {
				continue
			}
			Expect(err).NotTo(HaveOccurred())
			seen++
		}
		Expect(seen).NotTo(BeZero())
	}, testproc.Patience)

	It("of another user's process may be withheld, and nothing else is returned then", func(ctx SpecContext) {
		if os.Geteuid() != 0 {
			a, err := arguments(ctx, testproc.Look(ctx, 1).Identity)
			Expect(err).To(Or(Not(HaveOccurred()), MatchError(fs.ErrPermission)))
			Expect(a.Words == nil).To(Equal(err != nil))
			return
		}
		const unprivileged = 65534
		cue := testproc.PerlCue(`report("root $$"); wait_at(0)`, "word")
		cue.Sys = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: unprivileged, Gid: unprivileged}}
		r := testproc.Lead(1, cue)
		r.Persons(1)
		Expect(words(ctx, r.Pid)).To(Equal([]string{"perl", "word"}))
	}, testproc.Patience)
})

var _ = Describe("The start of a process", func() {
	// tick is the coarsest unit in which a kernel counts.
	const tick = 10 * time.Millisecond

	It("is when it was made", func(ctx SpecContext) {
		before := time.Now()
		r := testproc.Perl(1, `report("root $$"); wait_at(0)`)
		r.Persons(1)
		after := time.Now()
		started, known := testproc.Look(ctx, r.Pid).Started()
		Expect(known).To(BeTrue())
		Expect(started).To(And(BeTemporally(">=", before.Add(-2*tick)), BeTemporally("<=", after.Add(tick))))
	}, testproc.Patience)

	DescribeTable("is not known", func(change func(*process.Identity)) {
		id, err := process.Lookup(os.Getpid())
		Expect(err).NotTo(HaveOccurred())
		change(&id.Identity)
		_, known := id.Started()
		Expect(known).To(BeFalse())
	},
		Entry("of an earlier boot", func(id *process.Identity) { id.Boot = "earlier" }),
		Entry("where the kernel hides it", func(id *process.Identity) { id.Start = 0 }),
	)
})
