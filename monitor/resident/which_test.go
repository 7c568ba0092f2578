//go:build darwin || linux

package resident_test

import (
	"fmt"
	"io/fs"
	"os"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/monitor"
	"github.com/gemini-monitor/gemini/monitor/resident"
)

var _ = Describe("A resident that is asked which runtime a process is in", func() {
	var store *monitor.Store

	BeforeEach(func() { store = newStore() })

	// watched starts a process, of which a runtime is watched.
	watched := func(name string, owner *child) {
		GinkgoHelper()
		create(store, name, owner.Identity)
		Expect(owner.asks(resident.MethodWatch, fmt.Sprintf(`{"name":%q}`, name))).To(HaveField("Name", BeEmpty()))
	}

	It("names it, and the innermost one of several, until it is over", func(ctx SpecContext) {
		serve(store)
		owner, other := asker(store), asker(store)
		watched("outer", owner)
		watched("other", other)
		Expect(resident.Which(ctx, store, owner.PID)).To(Equal("outer"))
		Expect(resident.Which(ctx, store, other.PID)).To(Equal("other"))
		watched("inner", owner)
		Expect(resident.Which(ctx, store, owner.PID)).To(Equal("inner"))
		Expect(owner.asks(resident.MethodLeave, `{"name":"inner"}`)).To(HaveField("Name", BeEmpty()))
		Expect(resident.Which(ctx, store, owner.PID)).To(Equal("outer"))
		Expect(owner.ends()).To(Succeed())
		Eventually(store.Names).ShouldNot(ContainElement("outer"))
		Expect(resident.Which(ctx, store, owner.PID)).To(BeEmpty())
	})

	It("names none for a process of none, and for what is no PID", func(ctx SpecContext) {
		serve(store)
		owner := asker(store)
		watched("build", owner)
		for _, pid := range []int{os.Getpid(), os.Getppid(), 1, 0, -1, -owner.PID} {
			Expect(resident.Which(ctx, store, pid)).To(BeEmpty(), "%d", pid)
		}
	})

	It("does not answer one who counts PIDs in another namespace", func() {
		serve(store)
		owner := asker(store)
		watched("build", owner)
		in := fmt.Sprintf(`{"pid":%d,"boot":"elsewhere"}`, owner.PID)
		Expect(owner.asks(resident.MethodWhich, in)).To(HaveField("Name", resident.ErrorForeign))
		in = fmt.Sprintf(`{"pid":%d}`, owner.PID)
		Expect(string(owner.asks(resident.MethodWhich, in).Out)).To(MatchJSON(`{"name":"build"}`))
	})

	It("is started by none who asks", func(ctx SpecContext) {
		_, err := resident.Which(ctx, store, os.Getpid())
		Expect(err).To(MatchError(fs.ErrNotExist))
		Expect(store.Dir()).NotTo(BeAnExistingFile())
	})
})
