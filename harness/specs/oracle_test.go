//go:build darwin || linux

package specs_test

import (
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/harness"
)

var _ = Describe("The oracle", func() {
	var stage *harness.Stage

	BeforeEach(func() { stage = newStage() })

	It("is free when a process without children ends", func(ctx SpecContext) {
		root := stage.Start("puppet", "root")
		puppet := stage.Puppet("root")
		Expect(root.Oracle().Held()).To(BeTrue())
		puppet.Exit(0)
		root.Wait()
		// No wait: the kernel closes the descriptors before it reports the exit.
		Expect(root.Oracle().Held()).To(BeFalse())
		Eventually(ctx, root.Oracle().Gone()).Should(BeClosed())
	}, SpecTimeout(time.Minute))

	It("is awaited with a limit, and so is the end of a puppet", func() {
		message, _ := failing(func(stage *harness.Stage) {
			job := stage.Start("puppet", "worker")
			worker := stage.Puppet("worker")
			done := worker.Fork("done")
			job.Signal(syscall.SIGCONT)
			done.Exit(0)
			done.ExpectGone()
			job.Within(50 * time.Millisecond).Oracle().ExpectGone()
		})
		Expect(message).To(MatchRegexp(`^job-0: expect that no process of "puppet worker" holds descriptor 3: not within 50ms: yes: (.*\n)+  PID \d+, .*puppet worker`))
		message, _ = failing(func(stage *harness.Stage) {
			stage.Start("puppet", "worker")
			stage.Puppet("worker").Within(50 * time.Millisecond).ExpectGone()
		})
		Expect(message).To(MatchRegexp(`^puppet worker \(PID \d+\) does not end: not within 50ms$`))
		job := stage.Start("true")
		job.Oracle().ExpectGone()
	})

	It("is held while an orphan of the second generation lives", func(ctx SpecContext) {
		root := stage.Start("puppet", "root")
		first := stage.Puppet("root")
		middle := first.Fork("middle")
		leaf := middle.Fork("leaf", harness.OwnSession)
		middle.Exit(0)
		Expect(root.Oracle().Held()).To(BeTrue())
		first.Exit(0)
		root.Wait()
		Expect(root.Oracle().Held()).To(BeTrue())
		Expect(root.Oracle().Gone()).NotTo(BeClosed())
		leaf.Exit(0)
		Eventually(ctx, root.Oracle().Gone()).Should(BeClosed())
		Expect(root.Oracle().Held()).To(BeFalse())
	}, SpecTimeout(time.Minute))

	It("follows bare forks, which Go cannot make", func(ctx SpecContext) {
		// Each process forks the next one and exits.
		root := stage.Start(perl(), "-e", `for (1..20) { my $p = fork; exit 0 if $p } exec "puppet", "leaf"`)
		Expect(root.Wait()).To(Equal(harness.Status{}))
		leaf := stage.Puppet("leaf")
		Expect(root.Oracle().Held()).To(BeTrue())
		leaf.Exit(0)
		Eventually(ctx, root.Oracle().Gone()).Should(BeClosed())
	}, SpecTimeout(time.Minute))

	It("does not see a process that closed the descriptor, which the puppet's connection does", func(ctx SpecContext) {
		root := stage.Start("puppet", "root")
		puppet := stage.Puppet("root")
		puppet.CloseInherited()
		Eventually(ctx, root.Oracle().Gone()).Should(BeClosed())
		Expect(puppet.Gone()).NotTo(BeClosed())
		Expect(stage.Report()).To(MatchRegexp(`oracle of job-0 +no process holds descriptor 3`))
		Expect(puppet.Report().PID).To(Equal(root.PID()))
		puppet.Die(syscall.SIGKILL)
		Expect(root.Wait()).To(Equal(harness.Status{Signal: syscall.SIGKILL}))
	}, SpecTimeout(time.Minute))

	It("is not held by processes that the test itself starts at the same time", func(ctx SpecContext) {
		var others sync.WaitGroup
		defer others.Wait()
		stop := make(chan struct{})
		defer close(stop)
		for range 4 {
			others.Go(func() {
				defer GinkgoRecover()
				for ctx.Err() == nil {
					select {
					case <-stop:
						return
					default:
						Expect(exec.Command("true").Run()).To(Succeed())
					}
				}
			})
		}
		for range 25 {
			job := stage.Start("true")
			Expect(job.Wait()).To(Equal(harness.Status{}))
			Expect(job.Oracle().Held()).To(BeFalse(), "a process that is not a descendant holds the oracle")
		}
	}, SpecTimeout(time.Minute))

	It("is inherited through every shell", func(ctx SpecContext) {
		for _, kind := range harness.Kinds {
			if _, err := kind.Path(); err != nil {
				continue
			}
			name := "leaf-of-" + string(kind)
			root := stage.Start(string(kind), "-c", "(puppet "+name+" & ) ; :")
			Expect(root.Wait()).To(Equal(harness.Status{}), strings.TrimSpace(root.Output()))
			leaf := stage.Puppet(name)
			Expect(root.Oracle().Held()).To(BeTrue())
			leaf.Exit(0)
			Eventually(ctx, root.Oracle().Gone()).Should(BeClosed())
		}
	}, SpecTimeout(time.Minute))
})
