//go:build darwin || linux

package monitor_test

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/monitor"
)

var _ = Describe("In a store that another machine uses too", func() {
	var store *monitor.Store

	BeforeEach(func() { store = newStore() })

	// from makes a runtime whose owner had its PID before a start of some machine.
	from := func(edit func(*monitor.Record)) *monitor.Runtime {
		GinkgoHelper()
		runtime := own(store, "build", dead())
		change(runtime, func(r *monitor.Record) {
			r.Owner.Boot = "another one"
			edit(r)
		})
		return runtime
	}

	DescribeTable("a runtime of that one is left to it", func(edit func(*monitor.Record)) {
		runtime := from(edit)
		before, err := runtime.Record()
		Expect(err).NotTo(HaveOccurred())
		status, err := statusOf(store, "build")
		Expect(err).NotTo(HaveOccurred())
		Expect(status.State).To(Equal(monitor.StateUnknown))
		Expect(status.Reason).To(ContainSubstring("made on"))
		Expect(watch(runtime).ends()).To(MatchError(monitor.ErrElsewhere))
		Expect(runtime.Record()).To(Equal(before))
		Expect(runtime.Root()).To(BeADirectory())
	},
		Entry("by its machine, though both have one name", func(r *monitor.Record) { r.Machine = "another one" }),
		Entry("by its name, in a record without a machine", func(r *monitor.Record) { r.Host, r.Machine = "elsewhere.invalid", "" }),
	)

	DescribeTable("a runtime of this one from before its last start is over", func(edit func(*monitor.Record)) {
		Expect(watch(from(edit)).ends()).To(Succeed())
		nothingLeft(store)
	},
		Entry("by its machine, though it had another name", func(r *monitor.Record) { r.Host = "before.invalid" }),
		Entry("by its name, in a record without a machine", func(r *monitor.Record) { r.Machine = "" }),
		Entry("when it had no name", func(r *monitor.Record) { r.Host, r.Machine = "", "" }),
	)

	It("this one is known by the same words each time, and by more than a name", Label("probe"), func() {
		first, err := store.Create(monitor.Creation{Name: "first", Command: []string{"true"}})
		Expect(err).NotTo(HaveOccurred())
		record, err := first.Record()
		Expect(err).NotTo(HaveOccurred())
		Expect(record.Machine).To(And(Not(BeEmpty()), Not(Equal(record.Host))))
		Expect(monitor.ReadMachine()).To(Equal(record.Machine))
		AddReportEntry("this machine", record.Machine, ReportEntryVisibilityFailureOrVerbose)
	})

	It("a runtime of this one is this one's, though it was renamed since", func() {
		owner := start("read -r x <&3", through(newGate())...)
		runtime := own(store, "build", owner.Identity)
		change(runtime, func(r *monitor.Record) { r.Host, r.Machine = "before.invalid", "before" })
		w := watched(runtime)
		Eventually(members(store, "build")).Should(HaveLen(1))
		w.leaves()
	})
})
