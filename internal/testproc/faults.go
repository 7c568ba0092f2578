package testproc

import (
	"context"
	"errors"
	"os"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/tracker/process"
)

// Faulty means that system calls fail at random in this run, as darwinrun can have
// them. A spec repeats a call that fails so; the answers must be as right as ever.
var Faulty = os.Getenv("TRACKER_FAULTS") != ""

// Insist repeats ask until it returns no error or process.ErrGone, which is an answer.
func Insist[T any](ctx context.Context, ask func() (T, error)) (T, error) {
	answer, err := ask()
	for Faulty && err != nil && !errors.Is(err, process.ErrGone) && ctx.Err() == nil {
		answer, err = ask()
	}
	return answer, err
}

// Sure returns the answer to a question that must have one.
func Sure[T any](ctx context.Context, ask func() (T, error)) T {
	ginkgo.GinkgoHelper()
	answer, err := Insist(ctx, ask)
	gomega.Expect(err).NotTo(gomega.HaveOccurred())
	return answer
}

// Look returns the row of a process that is there.
func Look(ctx ginkgo.SpecContext, pid int) process.Process {
	ginkgo.GinkgoHelper()
	return Sure(ctx, func() (process.Process, error) { return process.Lookup(pid) })
}

// Opened takes the results of a call that opens a mechanism of a kernel, and returns
// the first. The spec is skipped where the mechanism does not work.
func Opened[K any](k K, err error) K {
	ginkgo.GinkgoHelper()
	if errors.Is(err, errors.ErrUnsupported) {
		ginkgo.Skip("this mechanism does not work here: " + err.Error())
	}
	gomega.Expect(err).NotTo(gomega.HaveOccurred())
	return k
}
