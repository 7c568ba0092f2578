//go:build darwin || linux

package room

import (
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"golang.org/x/sys/unix"
)

func TestRoom(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "Room")
}

var _ = Describe("The room for processes", func() {
	DescribeTable("is as wanted, or half of what is left",
		func(wanted, allowed int, all ...limit) { Expect(size(wanted, all)).To(Equal(allowed)) },
		Entry("without a limit", 1200, 1200),
		Entry("far from the limit", 400, 400, limit{most: 4000, now: 100}),
		Entry("near the limit", 1200, 466, limit{most: 1333, now: 401}),
		Entry("of the narrower of two limits", 1200, 100, limit{most: 4000, now: 100}, limit{most: 500, now: 300}),
		Entry("at the limit", 400, 0, limit{most: 500, now: 500}),
		Entry("beyond a limit that was lowered", 400, 0, limit{most: 500, now: 600}),
	)

	It("keeps to the soft limit of the user, which may be the narrower one", func() {
		var before unix.Rlimit
		Expect(unix.Getrlimit(unix.RLIMIT_NPROC, &before)).To(Succeed())
		DeferCleanup(func() { Expect(unix.Setrlimit(unix.RLIMIT_NPROC, &before)).To(Succeed()) })
		low := before
		low.Cur = min(before.Cur, 600)
		Expect(unix.Setrlimit(unix.RLIMIT_NPROC, &low)).To(Succeed())
		Expect(userLimit(50)).To(ConsistOf(limit{most: low.Cur, now: 50}))
	}, Serial)

	It("is known on this machine", func() {
		Expect(Processes(1)).To(Equal(1))
		all, err := limits()
		Expect(err).NotTo(HaveOccurred())
		for _, l := range all { // this process, at least, is one of those that count
			Expect(l.now).To(And(BeNumerically(">", 0), BeNumerically("<=", l.most)))
		}
	})
})
