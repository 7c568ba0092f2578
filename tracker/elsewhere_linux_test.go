package tracker

import (
	"os"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/internal/testproc"
	"github.com/gemini-monitor/gemini/tracker/process"
)

var _ = Describe("A tree recorded in another namespace", func() {
	It("cannot be resumed", func(ctx SpecContext) {
		us := testproc.Look(ctx, os.Getpid()).Identity
		elsewhere := us
		elsewhere.Boot += "/time:[1]"
		Expect(us.Visible()).To(Succeed())
		Expect(elsewhere.Visible()).To(MatchError(process.ErrElsewhere))
		tracker, err := New(Options{})
		Expect(err).NotTo(HaveOccurred())
		defer tracker.Close()
		_, err = tracker.Resume(ctx, us, []process.Identity{us, elsewhere})
		Expect(err).To(MatchError(process.ErrElsewhere))
	}, testproc.Patience)
})
