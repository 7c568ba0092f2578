//go:build darwin || linux

package scenarios_test

import (
	"errors"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"syscall"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// makeFIFO makes a gate: a FIFO. A process that reads it waits until the file that
// openGate returned is closed.
func makeFIFO(name string) {
	GinkgoHelper()
	Expect(syscall.Mkfifo(stage.Path(name), 0o600)).To(Succeed())
}

// openGate waits until a process has opened the gate to read, and returns the writing
// end.
func openGate(ctx SpecContext, name string) *os.File {
	GinkgoHelper()
	var gate *os.File
	Eventually(ctx, func() (err error) {
		// O_NONBLOCK: without a reader, open returns ENXIO instead of blocking.
		gate, err = os.OpenFile(stage.Path(name), os.O_WRONLY|syscall.O_NONBLOCK, 0)
		return err
	}).Should(Succeed())
	DeferCleanup(func() { gate.Close() })
	return gate
}

// pause stops processes and returns a function that continues them, which also runs at
// the end of the spec. It returns when they are stopped. It sends SIGCONT once: a stopped
// process keeps its PID, a continued one may lose it.
func pause(pids ...int) (resume func()) {
	GinkgoHelper()
	var stopped []int
	resume = sync.OnceFunc(func() {
		for _, pid := range stopped {
			_ = stage.Signal(pid, syscall.SIGCONT) // an error means that it was killed
		}
	})
	DeferCleanup(resume)
	for _, pid := range pids {
		err := stage.Signal(pid, syscall.SIGSTOP)
		if errors.Is(err, syscall.ESRCH) {
			continue // it has ended
		}
		Expect(err).NotTo(HaveOccurred())
		stopped = append(stopped, pid)
	}
	expectStopped(stopped...)
	return resume
}

// expectStopped waits until processes that were sent SIGSTOP are stopped: on a busy machine
// the threads of a process go on until one of them has taken the signal.
func expectStopped(pids ...int) {
	GinkgoHelper()
	for _, pid := range pids {
		Eventually(func() string { return stateBy(pid) }).Should(Or(HavePrefix("T"), BeEmpty()), "process %d runs on", pid)
	}
}

// stateBy returns what ps(1) shows as the state of a process, and nothing where it has ended.
func stateBy(pid int) string {
	out, _ := exec.Command("ps", "-o", "state=", "-p", strconv.Itoa(pid)).Output() // 1 means that there is none
	return string(out)
}
