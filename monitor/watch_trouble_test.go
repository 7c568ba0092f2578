//go:build darwin || linux

package monitor_test

import (
	"os"
	"path/filepath"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/monitor"
)

var _ = Describe("A monitor that cannot do its work leaves everything as it is:", func() {
	var store *monitor.Store

	BeforeEach(func() { store = newStore() })

	var runtime *monitor.Runtime

	BeforeEach(func() { runtime = own(store, "build", dead()) })

	kept := func() {
		GinkgoHelper()
		Expect(contents(runtime.Dir())).To(ContainElements("root", monitor.LogFile))
		Expect(contents(store.Trash())).To(BeEmpty())
	}

	It("the record is broken", func() {
		Expect(os.WriteFile(runtime.Path(monitor.RecordFile), []byte("?"), 0o600)).To(Succeed())
		err := watch(runtime).ends()
		Expect(err).To(And(MatchError(monitor.ErrBroken), MatchError(HavePrefix(`runtime "build" `))))
		Expect(os.ReadFile(runtime.Path(monitor.RecordFile))).To(Equal([]byte("?")))
		kept()
	})

	It("the journal is broken", func() {
		Expect(os.WriteFile(runtime.Path(monitor.JournalFile), []byte("?\n"), 0o600)).To(Succeed())
		Expect(watch(runtime).ends()).To(MatchError(monitor.ErrBroken))
		Expect(os.ReadFile(runtime.Path(monitor.JournalFile))).To(Equal([]byte("?\n")))
		kept()
	})

	DescribeTable("a file is missing", func(file string) {
		Expect(os.Remove(runtime.Path(file))).To(Succeed())
		err := watch(runtime).ends()
		Expect(err).To(HaveOccurred())
		Expect(err).To(MatchError(HavePrefix(`runtime "build" `)))
		kept()
	},
		Entry(nil, monitor.RecordFile),
		Entry(nil, monitor.JournalFile),
		Entry(nil, monitor.LeaseFile),
		Entry(nil, monitor.LockFile),
	)

	It("the runtime cannot be moved to the trash, and the record has the reason", func() {
		Expect(os.Remove(store.Trash())).To(Succeed())
		Expect(os.WriteFile(store.Trash(), nil, 0o600)).To(Succeed())
		w := watched(runtime)
		Eventually(runtime.Record).Should(And(HaveField("State", monitor.StateStopping), HaveField("Reason", HavePrefix(`remove runtime "build": `))))
		Expect(runtime.Root()).To(BeADirectory())
		w.leaves()
		Expect(os.Remove(store.Trash())).To(Succeed())
		Expect(os.Mkdir(store.Trash(), 0o700)).To(Succeed())
		Expect(watch(runtime).ends()).To(Succeed(), "the next one finishes it")
		nothingLeft(store)
	})
})

var _ = Describe("A monitor", func() {
	var store *monitor.Store

	BeforeEach(func() { store = newStore() })

	It("of a runtime that is gone fails", func() {
		runtime := own(store, "build", dead())
		Expect(runtime.Remove()).To(Succeed())
		Expect(watch(runtime).ends()).To(MatchError(monitor.ErrNotExist))
	})

	It("whose runtime was removed by hand removes no other of that name", func() {
		g := newGate()
		runtime := own(store, "build", start("read -r x <&3", through(g)...).Identity)
		w := watched(runtime)
		Expect(os.RemoveAll(runtime.Dir())).To(Succeed())
		second := own(store, "build", start("read -r x <&3", through(newGate())...).Identity)
		record, err := second.Record()
		Expect(err).NotTo(HaveOccurred())
		g.open()
		Expect(w.ends()).To(Succeed())
		Expect(second.Root()).To(BeADirectory())
		Expect(second.Record()).To(Equal(record))
	})

	It("whose runtime was removed by hand ends with the last process, without an error", func() {
		g := newGate()
		runtime := own(store, "build", start("read -r x <&3", through(g)...).Identity)
		w := watched(runtime)
		Expect(os.RemoveAll(runtime.Dir())).To(Succeed())
		g.open()
		Expect(w.ends()).To(Succeed())
		nothingLeft(store)
	})

	It("does not follow a link out of the runtime when it removes that", func() {
		g := newGate()
		runtime := own(store, "build", start("read -r x <&3", through(g)...).Identity)
		w := watched(runtime)
		outside := filepath.Join(GinkgoT().TempDir(), "dear")
		Expect(os.Mkdir(outside, 0o700)).To(Succeed())
		Expect(os.Symlink(outside, filepath.Join(runtime.Root(), "link"))).To(Succeed())
		g.open()
		Expect(w.ends()).To(Succeed())
		Expect(outside).To(BeADirectory())
	})
})
