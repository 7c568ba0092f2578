package monitor_test

import (
	"context"
	"errors"
	"os"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/monitor"
	"github.com/gemini-monitor/gemini/tracker/process"
)

var _ = Describe("The holders of a lease on Linux", func() {
	var runtime *monitor.Runtime

	BeforeEach(func() { runtime = own(newStore(), "build", dead()) })

	opened := func(path string) *child {
		GinkgoHelper()
		file, err := os.Open(path)
		Expect(err).NotTo(HaveOccurred())
		defer file.Close()
		return start("read -r x <&3", append(through(newGate()), file)...)
	}
	found := func(ctx context.Context) (monitor.Holders, error) {
		return surveyOf(runtime.Store()).Holders(ctx, runtime)
	}

	It("are not those that only have the file open, unless /proc shows no lock", func(ctx SpecContext) {
		reader := opened(runtime.Path(monitor.LeaseFile))
		opened(runtime.Path(monitor.JournalFile))
		Expect(found(ctx)).To(HaveField("Found", ConsistOf(HaveField("PID", reader.PID))))
		lease := hold(runtime)
		defer lease.Close()
		holder := start("read -r x <&3", append(through(newGate()), lease)...)
		Expect(found(ctx)).To(HaveField("Found", ConsistOf(HaveField("PID", holder.PID))))
	})

	It("are not those of another file of that name", func(ctx SpecContext) {
		opened(own(runtime.Store(), "other", dead()).Path(monitor.LeaseFile))
		Expect(found(ctx)).To(HaveField("Found", BeEmpty()))
	})

	It("are found where the directory was moved and the name removed", func(ctx SpecContext) {
		lease := hold(runtime)
		defer lease.Close()
		holder := start("read -r x <&3", append(through(newGate()), lease)...)
		Expect(os.Link(runtime.Path(monitor.LeaseFile), runtime.Path("kept"))).To(Succeed())
		Expect(os.Remove(runtime.Path(monitor.LeaseFile))).To(Succeed())
		Expect(os.Rename(runtime.Path("kept"), runtime.Path(monitor.LeaseFile))).To(Succeed())
		Expect(found(ctx)).To(HaveField("Found", ConsistOf(HaveField("PID", holder.PID))))
	})

	It("are not looked for any longer than the caller wants", func(ctx SpecContext) {
		reason := errors.New("that is enough")
		limited, end := context.WithCancelCause(ctx)
		end(reason)
		_, err := found(limited)
		Expect(err).To(MatchError(reason))
	})

	DescribeTable("are seen by the lock of a descriptor", func(info string, locked bool) {
		Expect(monitor.HasFlock(info)).To(Equal(locked))
	},
		Entry("with one", "pos:\t0\nflags:\t0102\nmnt_id:\t29\nino:\t7\nlock:\t1: FLOCK  ADVISORY  READ 4711 fe:00:7 0 EOF\n", true),
		Entry("without one", "pos:\t0\nflags:\t0102\nmnt_id:\t29\nino:\t7\n", false),
		Entry("with one of another kind", "lock:\t1: POSIX  ADVISORY  READ 4711 fe:00:7 0 EOF\n", false),
		Entry("with the word in another line", "path: FLOCK x\n", false),
		Entry("empty", "", false),
	)

	DescribeTable("are no threads of the kernel", func(p process.Process, is bool) {
		Expect(monitor.IsKernelThread(p)).To(Equal(is))
	},
		Entry("their parent", process.Process{Identity: process.Identity{PID: 2}}, true),
		Entry("one of them", process.Process{Identity: process.Identity{PID: 20}, Parent: 2}, true),
		Entry("process 1 of a container", process.Process{Identity: process.Identity{PID: 1}}, false),
		Entry("a child of another process 2", process.Process{Identity: process.Identity{PID: 20}, Parent: 2, Group: 20, Session: 20}, false),
		Entry("one that was put into a container", process.Process{Identity: process.Identity{PID: 20}}, false),
	)
})
