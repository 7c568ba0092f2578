//go:build darwin || linux

package scenarios_test

import (
	"errors"
	"os"
	"sync"
	"syscall"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// makeFIFO makes a gate: who opens it to read waits until it is closed by
// whoever got it from openGate.
func makeFIFO(name string) {
	GinkgoHelper()
	Expect(syscall.Mkfifo(stage.Path(name), 0o600)).To(Succeed())
}

// openGate waits until somebody stands before the gate, and holds it shut.
func openGate(ctx SpecContext, name string) *os.File {
	GinkgoHelper()
	var gate *os.File
	Eventually(ctx, func() (err error) {
		// Without a reader this is refused, where it would block otherwise.
		gate, err = os.OpenFile(stage.Path(name), os.O_WRONLY|syscall.O_NONBLOCK, 0)
		return err
	}).Should(Succeed())
	DeferCleanup(func() { gate.Close() })
	return gate
}

// pause stops processes and returns what lets them go on, when the spec ends at
// the latest. That happens once: who is stopped keeps its PID, who goes on may not.
func pause(pids ...int) (resume func()) {
	GinkgoHelper()
	var stopped []int
	resume = sync.OnceFunc(func() {
		for _, pid := range stopped {
			_ = stage.Signal(pid, syscall.SIGCONT) // killed by somebody else, it needs none
		}
	})
	DeferCleanup(resume)
	for _, pid := range pids {
		err := stage.Signal(pid, syscall.SIGSTOP)
		if errors.Is(err, syscall.ESRCH) {
			continue // one that has ended needs none
		}
		Expect(err).NotTo(HaveOccurred())
		stopped = append(stopped, pid)
	}
	return resume
}
