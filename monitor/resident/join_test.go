//go:build darwin || linux

package resident_test

import (
	"context"
	"encoding/json"
	"fmt"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/monitor"
	"github.com/gemini-monitor/gemini/monitor/resident"
	"github.com/gemini-monitor/gemini/tracker/process"
)

var _ = Describe("A resident that is asked to count a process from outside", func() {
	var store *monitor.Store
	var owner, guest *child

	BeforeEach(func() {
		store = newStore()
		serve(store)
		owner, guest = asker(store), asker(store)
		create(store, "build", owner.Identity)
		Expect(owner.asks(resident.MethodWatch, `{"name":"build"}`)).To(HaveField("Name", BeEmpty()))
	})

	// join is the request to join the runtime of an owner.
	join := func(name string, owner process.Identity) string {
		GinkgoHelper()
		text, err := json.Marshal(owner)
		Expect(err).NotTo(HaveOccurred())
		return fmt.Sprintf(`{"name":%q,"owner":%s}`, name, text)
	}

	It("counts the process at the other end, once, and keeps the runtime for it", func(ctx SpecContext) {
		for range 2 {
			Expect(guest.asks(resident.MethodJoin, join("build", owner.Identity))).To(HaveField("Name", BeEmpty()))
		}
		Expect(resident.Which(ctx, store, guest.PID)).To(Equal("build"))
		Expect(owner.ends()).To(Succeed())
		Eventually(func() (string, error) { return resident.Which(ctx, store, owner.PID) }).Should(BeEmpty())
		Expect(store.Names()).To(ConsistOf("build"))
		Expect(guest.ends()).To(Succeed())
		Eventually(store.Names).Should(BeEmpty())
	})

	It("refuses a runtime that it does not watch, or of another owner", func() {
		Expect(guest.asks(resident.MethodJoin, join("other", owner.Identity))).To(HaveField("Name", resident.ErrorUnwatched))
		Expect(guest.asks(resident.MethodJoin, join("build", guest.Identity))).To(HaveField("Name", resident.ErrorUnwatched))
	})

	It("refuses a process that it watches in a runtime beside", func() {
		create(store, "beside", guest.Identity)
		Expect(guest.asks(resident.MethodWatch, `{"name":"beside"}`)).To(HaveField("Name", BeEmpty()))
		Expect(guest.asks(resident.MethodJoin, join("build", owner.Identity))).To(And(
			HaveField("Name", resident.ErrorFailed), HaveField("Reason", ContainSubstring("is a member of another runtime"))))
	})
})

var _ = Describe("A client that asks to be counted", func() {
	var store *monitor.Store
	var runtime *monitor.Runtime
	var owner *child

	BeforeEach(func() {
		store = newStore()
		owner = sleeper()
		runtime = create(store, "build", owner.Identity)
	})

	It("is told that no monitor answers", func(ctx SpecContext) {
		Expect(resident.Join(ctx, store, runtime, owner.Identity, nil)).To(MatchError(resident.ErrUnwatched))
	})

	It("is told that the runtime is gone, or another one", func(ctx SpecContext) {
		Expect(resident.Join(ctx, store, runtime, self(), nil)).To(MatchError(monitor.ErrNotExist))
	})

	It("is told that the monitor does not know the request", func(ctx SpecContext) {
		impostor(store, func(context.Context) error { return nil })
		Expect(resident.Join(ctx, store, runtime, owner.Identity, nil)).To(MatchError(resident.ErrOutdated))
	})
})
