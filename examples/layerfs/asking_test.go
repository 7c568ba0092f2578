package main

import (
	"os"
	"path/filepath"
	"syscall"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

var _ = Describe("A service that asks the resident monitor", Label("linux", "fuse"), func() {
	var (
		s              *stand
		a, b, stranger *shell
	)

	BeforeEach(func() {
		s = newStand("--resident")
		a = s.shell("--name", "a", "--layer", s.layer("a", map[string]string{"f": "of a\n"}))
		b = s.shell("--edit", "--name", "b", "--layer", s.layer("b", map[string]string{"f": "of b\n"}))
		stranger = s.stranger()
		Expect(stranger.do("ls -A m")).To(BeEmpty())
	})

	right := func() {
		GinkgoHelper()
		Expect(a.do("cat f")).To(Equal("of a\n"))
		Expect(b.do("cat f")).To(Equal("of b\n"))
		Expect(stranger.do("ls -A m")).To(BeEmpty())
	}

	It("follows no process itself: the resident is the monitor of its runtimes", patient, func(ctx SpecContext) {
		by, _ := s.resident(ctx)
		for _, name := range []string{"a", "b"} {
			r, err := s.store().Runtime(name)
			Expect(err).NotTo(HaveOccurred())
			Expect(r.Record()).To(HaveField("Monitor", HaveValue(Equal(by))))
		}
		Expect(s.cmd("status", s.mount).Output()).To(And(
			ContainSubstring("which asks the resident monitor\n"), MatchRegexp(`(?m)^a +no +%d `, a.cmd.Process.Pid), MatchRegexp(`(?m)^b +yes +%d `, b.cmd.Process.Pid)))
	})

	It("shows a runtime without layers nothing, as any stranger", patient, func(ctx SpecContext) {
		plain := start(s.monitor("run", "--name", "plain", "--", "sh"))
		Expect(plain.do("ls -A " + s.mount)).To(BeEmpty())
		Expect(plain.do("cat " + s.mount + "/f")).To(ContainSubstring("No such file"))
		inside := s.cmd("run", "--mount", s.mount, "--layer", filepath.Join(s.dir, "a"), "--", "cat", s.mount+"/f")
		Expect(limited(ctx, inside)).To(Equal("of a\n"))
		Expect(s.cmd("status", s.mount).Output()).NotTo(ContainSubstring("plain"))
		said, err := limited(ctx, s.cmd("join", "plain", "--mount", s.mount, "--", "true"))
		Expect(err).To(HaveOccurred())
		Expect(said).To(ContainSubstring("has no layers"))
		plain.exits()
		Expect(a.do("monitor run -- cat f; cat f")).To(MatchRegexp("^cat: f: No such file or directory\nof a\n$"), "nor one inside a tree")
		right()
		Eventually(s.runtimes).Should(ConsistOf("a", "b"), "unmount waits for no runtime without layers")
	})

	It("gives EIO or the right answer while the resident is killed again and again, and right ones afterwards", patient, func(ctx SpecContext) {
		const often = `n=0; while ! [ -e "$end" ]; do cat f; n=$((n+1)); done`
		const look = `n=0; while ! [ -e "$end" ]; do ls -A m; n=$((n+1)); done`
		end := filepath.Join(s.dir, "end")
		marks := map[*shell]string{}
		for sh, command := range map[*shell]string{a: often, b: often, stranger: look} {
			marks[sh] = sh.send("end=" + end + "; " + command)
		}
		for range 4 { // the guard gives up after 5 within a minute
			by, _ := s.resident(ctx)
			Expect(by.Signal(syscall.SIGKILL)).To(Succeed())
			Eventually(func() bool { next, _ := s.resident(ctx); return next.PID > 0 && next != by }).Should(BeTrue())
		}
		Expect(os.WriteFile(end, nil, 0o600)).To(Succeed())
		Expect(a.await(marks[a])).To(rightOrEIO("of a\n"))
		Expect(b.await(marks[b])).To(rightOrEIO("of b\n"))
		Expect(stranger.await(marks[stranger])).To(rightOrEIO(""))
		right()
	})

	It("has another resident started where the resident and its guard were killed", patient, func(ctx SpecContext) {
		Expect(b.do("echo written >new")).To(BeEmpty())
		by := s.killPair(ctx)
		Expect(a.do("cat f")).To(Equal("of a\n"))
		Expect(b.do("cat f new")).To(Equal("of b\nwritten\n"))
		right()
		next, _ := s.resident(ctx)
		Expect(next).NotTo(Equal(by))
	})

	It("gives EIO while the resident does not answer", patient, func(ctx SpecContext) {
		by, _ := s.resident(ctx)
		stop(by)
		DeferCleanup(func() { _ = by.Signal(syscall.SIGCONT) })
		Expect(a.do("cat f")).To(ContainSubstring("Input/output error"))
		Expect(stranger.do("ls -A m")).To(ContainSubstring("Input/output error"))
		Expect(by.Signal(syscall.SIGCONT)).To(Succeed())
		right()
	})

	It("gives EIO to whom the resident may not know: another process watches a runtime with layers", patient, func(ctx SpecContext) {
		s.killPair(ctx)
		other := s.monitor("serve", "a")
		Expect(other.Start()).To(Succeed())
		DeferCleanup(func() { _ = other.Process.Kill(); _ = other.Wait() })
		r, err := s.store().Runtime("a")
		Expect(err).NotTo(HaveOccurred())
		Eventually(func() (int, error) {
			record, err := r.Record()
			return record.Monitor.PID, err
		}).Should(Equal(other.Process.Pid))

		Expect(b.do("cat f")).To(Equal("of b\n"), "which is not inside")
		Expect(a.do("cat f")).To(ContainSubstring("Input/output error"))
		Expect(stranger.do("ls -A m")).To(ContainSubstring("Input/output error"))
		Expect(other.Process.Kill()).To(Succeed())
		Expect(other.Wait()).NotTo(Succeed())
		right()
	})

	It("has no resident asked while no runtime has layers", patient, func(ctx SpecContext) {
		a.exits()
		b.exits()
		Eventually(s.runtimes).Should(BeEmpty())
		by, guard := s.resident(ctx)
		Expect(by.Signal(syscall.SIGTERM)).To(Succeed())
		Eventually(lives).WithArguments(guard).Should(BeFalse())
		Eventually(lives).WithArguments(by).Should(BeFalse())
		Expect(stranger.do("ls -A m")).To(BeEmpty())
		next, _ := s.resident(ctx)
		Expect(next).To(BeZero())
		again := s.shell("--layer", filepath.Join(s.dir, "a"))
		Expect(again.do("cat f")).To(Equal("of a\n"))
	})

	It("runs no command that the resident does not watch", patient, func(ctx SpecContext) {
		ran := filepath.Join(s.dir, "ran")
		by, _ := s.resident(ctx)
		stop(by)
		DeferCleanup(func() { _ = by.Signal(syscall.SIGCONT) })
		run := s.cmd("run", "--mount", s.mount, "--name", "late", "--layer", filepath.Join(s.dir, "a"), "--", "touch", ran)
		said, err := limited(ctx, run)
		Expect(err).To(HaveOccurred())
		Expect(said).To(ContainSubstring("the resident monitor does not watch"))
		Expect(run.ProcessState.ExitCode()).To(Equal(125))
		Expect(ran).NotTo(BeAnExistingFile())
		Expect(by.Signal(syscall.SIGCONT)).To(Succeed())
		Expect(s.runtimes()).To(ConsistOf("a", "b"))
		right()
	})
})
