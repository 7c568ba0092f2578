//go:build darwin || linux

package monitor_test

import (
	"os"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/monitor"
)

var _ = Describe("In a store that another machine uses too", func() {
	var store *monitor.Store

	BeforeEach(func() { store = newStore() })

	// from makes a runtime whose owner had its PID before a start of some machine.
	from := func(host string) *monitor.Runtime {
		GinkgoHelper()
		runtime := own(store, "build", dead())
		change(runtime, func(r *monitor.Record) { r.Host, r.Owner.Boot = host, "another one" })
		return runtime
	}

	It("a runtime of that one is left to it", func() {
		runtime := from("elsewhere.invalid")
		before, err := runtime.Record()
		Expect(err).NotTo(HaveOccurred())
		status, err := statusOf(store, "build")
		Expect(err).NotTo(HaveOccurred())
		Expect(status.State).To(Equal(monitor.StateUnknown))
		Expect(status.Reason).To(ContainSubstring(`made on "elsewhere.invalid"`))
		Expect(watch(runtime).ends()).To(MatchError(monitor.ErrElsewhere))
		Expect(runtime.Record()).To(Equal(before))
		Expect(runtime.Root()).To(BeADirectory())
	})

	DescribeTable("a runtime of this one from before its last start is over", func(host func() (string, error)) {
		name, err := host()
		Expect(err).NotTo(HaveOccurred())
		Expect(watch(from(name)).ends()).To(Succeed())
		nothingLeft(store)
	},
		Entry("by its name", os.Hostname),
		Entry("when it had no name", func() (string, error) { return "", nil }),
	)

	It("a runtime of this one is this one's, though it was renamed since", func() {
		runtime := own(store, "build", self())
		change(runtime, func(r *monitor.Record) { r.Host = "before.invalid" })
		w := watched(runtime)
		Eventually(members(store, "build")).Should(HaveLen(1))
		w.leaves()
	})
})
