//go:build darwin || linux

package specs_test

import (
	"os"
	"os/exec"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/harness"
)

// executable writes a program and returns its path.
func executable(path, text string) string {
	GinkgoHelper()
	Expect(os.WriteFile(path, []byte(text), 0o755)).To(Succeed())
	return path
}

// crowd starts programs all the time until the spec ends. Each of them would inherit a
// descriptor that is not close-on-exec at that moment, and keep it for a while.
func crowd() {
	stop := make(chan struct{})
	var others sync.WaitGroup
	for range 4 {
		others.Go(func() {
			defer GinkgoRecover()
			for {
				select {
				case <-stop:
					return
				default:
					Expect(exec.Command("sleep", "0.2").Run()).To(Succeed())
				}
			}
		})
	}
	DeferCleanup(func() { close(stop); others.Wait() })
}

var _ = Describe("Beside a test that starts programs itself", func() {
	var stage *harness.Stage

	BeforeEach(func() {
		stage = newStage()
		crowd()
	})

	It("no other process holds the oracle or the terminal of a terminal", func(ctx SpecContext) {
		for range 15 {
			term := stage.Terminal("true")
			Expect(term.Wait()).To(Equal(harness.Status{}))
			Expect(term.Oracle().Held()).To(BeFalse())
			term.ExpectNobody()
		}
		term := stage.Terminal("sh", "-c", "echo ready; read line; read line")
		term.Expect("ready")
		term.Hangup()
		term.Within(10 * time.Second).Wait() // a copy of the master elsewhere would keep the terminal
	}, SpecTimeout(time.Minute))

	It("no other process holds the input of a job: its end comes at once", func(ctx SpecContext) {
		for range 15 {
			job := stage.Command("cat").Pipe().Start()
			job.Write("text")
			job.CloseInput()
			job.Within(10 * time.Second).ExpectExit(0)
			Expect(job.Output()).To(Equal("text"))
		}
	}, SpecTimeout(time.Minute))

	It("no other process holds the output of a job: its end is noticed at once", func(ctx SpecContext) {
		for range 2 {
			message, _ := failing(func(stage *harness.Stage) {
				stage.Start("sh", "-c", "exec >&- 2>&-; puppet keeper").Within(10 * time.Second).Expect("never")
			})
			Expect(message).To(HavePrefix(`job-0: the command lives, and no process can write any more: expect "never": the output has ended (end of file)`))
		}
	}, SpecTimeout(time.Minute))
})
