//go:build darwin || linux

package harness_test

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
		puppet := stage.Puppet(ctx, "root")
		Expect(root.Oracle().Held()).To(BeTrue())
		puppet.Exit(ctx, 0)
		root.Wait(ctx)
		// No wait: the kernel closes the descriptors before it reports the exit.
		Expect(root.Oracle().Held()).To(BeFalse())
		Eventually(ctx, root.Oracle().Gone()).Should(BeClosed())
	}, SpecTimeout(time.Minute))

	It("is held while an orphan of the second generation lives", func(ctx SpecContext) {
		root := stage.Start("puppet", "root")
		first := stage.Puppet(ctx, "root")
		middle := first.Fork(ctx, "middle", harness.Start{})
		leaf := middle.Fork(ctx, "leaf", harness.Start{OwnSession: true})
		middle.Exit(ctx, 0)
		Expect(root.Oracle().Held()).To(BeTrue())
		first.Exit(ctx, 0)
		root.Wait(ctx)
		Expect(root.Oracle().Held()).To(BeTrue())
		Expect(root.Oracle().Gone()).NotTo(BeClosed())
		leaf.Exit(ctx, 0)
		Eventually(ctx, root.Oracle().Gone()).Should(BeClosed())
		Expect(root.Oracle().Held()).To(BeFalse())
	}, SpecTimeout(time.Minute))

	It("follows bare forks, which Go cannot make", func(ctx SpecContext) {
		// Each process forks the next one and exits.
		root := stage.Start(perl(), "-e", `for (1..20) { my $p = fork; exit 0 if $p } exec "puppet", "leaf"`)
		Expect(root.Wait(ctx)).To(Equal(harness.Status{}))
		leaf := stage.Puppet(ctx, "leaf")
		Expect(root.Oracle().Held()).To(BeTrue())
		leaf.Exit(ctx, 0)
		Eventually(ctx, root.Oracle().Gone()).Should(BeClosed())
	}, SpecTimeout(time.Minute))

	It("does not see a process that closed the descriptor, which the puppet's connection does", func(ctx SpecContext) {
		root := stage.Start("puppet", "root")
		puppet := stage.Puppet(ctx, "root")
		puppet.CloseInherited(ctx)
		Eventually(ctx, root.Oracle().Gone()).Should(BeClosed())
		Expect(puppet.Gone()).NotTo(BeClosed())
		Expect(puppet.Report(ctx).PID).To(Equal(root.PID()))
		puppet.Die(ctx, syscall.SIGKILL)
		Expect(root.Wait(ctx)).To(Equal(harness.Status{Signal: syscall.SIGKILL}))
	}, SpecTimeout(time.Minute))

	It("is not held by processes that were started at the same time elsewhere", func(ctx SpecContext) {
		var starters sync.WaitGroup
		defer starters.Wait()
		for range 4 {
			starters.Go(func() {
				defer GinkgoRecover()
				for range 25 {
					oracle, process, err := harness.StartWithOracle(exec.Command("true"))
					Expect(err).NotTo(HaveOccurred())
					_, err = process.Wait(ctx)
					Expect(err).NotTo(HaveOccurred())
					held := oracle.Held()
					oracle.Close()
					Expect(held).To(BeFalse(), "a process that is not a descendant holds the oracle")
				}
			})
		}
	}, SpecTimeout(time.Minute))

	It("is inherited through every shell", func(ctx SpecContext) {
		for _, kind := range harness.Kinds {
			if _, err := kind.Path(); err != nil {
				continue
			}
			name := "leaf-of-" + string(kind)
			root := stage.Start(string(kind), "-c", "(puppet "+name+" & ) ; :")
			Expect(root.Wait(ctx)).To(Equal(harness.Status{}), strings.TrimSpace(root.Output()))
			leaf := stage.Puppet(ctx, name)
			Expect(root.Oracle().Held()).To(BeTrue())
			leaf.Exit(ctx, 0)
			Eventually(ctx, root.Oracle().Gone()).Should(BeClosed())
		}
	}, SpecTimeout(time.Minute))
})
