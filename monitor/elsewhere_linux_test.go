package monitor_test

import (
	"os"
	"path/filepath"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/monitor"
	"github.com/gemini-monitor/gemini/tracker/process"
)

// The scenarios have real namespaces, where they may make some.
var _ = Describe("Of processes in another namespace", func() {
	var store *monitor.Store
	var runtime *monitor.Runtime

	// No process here has this PID, and none holds the lease.
	elsewhere := func() process.Identity {
		owner := dead()
		owner.Boot += "/time:[1]"
		return owner
	}

	BeforeEach(func() {
		store = newStore()
		runtime = own(store, "build", elsewhere())
	})

	It("the state is unknown: whether they live cannot be seen here", func() {
		status, err := statusOf(store, "build")
		Expect(err).NotTo(HaveOccurred())
		Expect(status.State).To(Equal(monitor.StateUnknown))
		Expect(status.Reason).To(ContainSubstring("recorded in another namespace, time:[1]"))
		Expect(status.Members).To(And(BeEmpty(), Not(BeNil())))
	})

	It("no monitor removes the runtime, nor changes it", func() {
		before, err := runtime.Record()
		Expect(err).NotTo(HaveOccurred())
		Expect(watch(runtime).ends()).To(And(MatchError(monitor.ErrElsewhere), MatchError(process.ErrElsewhere)))
		Expect(runtime.Record()).To(Equal(before))
		Expect(runtime.Root()).To(BeADirectory())
	})

	It("the name stays taken, with the reason", func() {
		_, err := store.Create(mine("build", nil))
		Expect(err).To(And(MatchError(monitor.ErrExist), MatchError(process.ErrElsewhere)))
		Expect(runtime.Record()).To(HaveField("Owner", Not(Equal(self()))))
	})

	It("a sweep leaves what they are making", func() {
		stage := monitor.StageOf(elsewhere(), "here") + "1"
		Expect(os.Mkdir(filepath.Join(store.Runtimes(), stage), 0o700)).To(Succeed())
		store.Sweep()
		Expect(contents(store.Runtimes())).To(ConsistOf("build", stage))
	})
})
