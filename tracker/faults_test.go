package tracker

import (
	"context"
	"errors"
	"os"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/tracker/process"
)

// faulty tells that this run makes system calls fail at random, as darwinrun
// can. Whoever asks has to ask again then; the answers have to be right as ever.
var faulty = os.Getenv("TRACKER_FAULTS") != ""

// insist asks until there is an answer, that somebody is gone for one.
func insist[T any](ctx context.Context, ask func() (T, error)) (T, error) {
	answer, err := ask()
	for faulty && err != nil && !errors.Is(err, process.ErrGone) && ctx.Err() == nil {
		answer, err = ask()
	}
	return answer, err
}

// sure returns the answer to a question that must have one.
func sure[T any](ctx context.Context, ask func() (T, error)) T {
	GinkgoHelper()
	answer, err := insist(ctx, ask)
	Expect(err).NotTo(HaveOccurred())
	return answer
}
