//go:build darwin || linux

package resident_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"sync"
	"syscall"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/monitor"
	"github.com/gemini-monitor/gemini/monitor/resident"
)

var _ = Describe("A service that asks again and again which runtime a process is in", func() {
	var (
		store  *monitor.Store
		router *resident.Router
	)

	BeforeEach(func() {
		store = newStore()
		var err error
		router, err = resident.NewRouter(store)
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(func() { _ = router.Close() }) // a spec may have closed it
	})

	watched := func(name string, owner *child) {
		GinkgoHelper()
		create(store, name, owner.Identity)
		Expect(owner.asks(resident.MethodWatch, fmt.Sprintf(`{"name":%q}`, name))).To(HaveField("Name", BeEmpty()))
	}
	place := func(name string, owner *child) resident.Place {
		return resident.Place{Name: name, Owner: owner.Identity}
	}

	It("gets the innermost runtime, by name and owner, and none for others", func(ctx SpecContext) {
		serve(store)
		owner, other := asker(store), asker(store)
		watched("outer", owner)
		watched("other", other)
		Expect(router.Of(ctx, owner.PID)).To(Equal(place("outer", owner)))
		Expect(router.Of(ctx, other.PID)).To(Equal(place("other", other)))
		watched("inner", owner)
		Expect(router.Of(ctx, owner.PID)).To(Equal(place("inner", owner)))
		for _, pid := range []int{os.Getpid(), os.Getppid(), 1, 0, -1, -owner.PID} {
			Expect(router.Of(ctx, pid)).To(BeZero(), "%d", pid)
		}
	})

	It("tells a runtime from an earlier one of its name", func(ctx SpecContext) {
		serve(store)
		first := asker(store)
		watched("build", first)
		Expect(router.Of(ctx, first.PID)).To(Equal(place("build", first)))
		Expect(first.ends()).To(Succeed())
		Eventually(store.Names).Should(BeEmpty())
		Expect(router.Of(ctx, first.PID)).To(BeZero())
		second := asker(store)
		watched("build", second)
		Expect(router.Of(ctx, second.PID)).To(Equal(place("build", second)))
	})

	It("asks on one connection, and on the next one where the resident has been started anew", func(ctx SpecContext) {
		first := serve(store)
		owner := asker(store)
		watched("build", owner)
		for range 100 {
			Expect(router.Of(ctx, owner.PID)).To(Equal(place("build", owner)))
		}
		Expect(resident.Idling(router)).To(Equal(1))
		Expect(first.ends()).To(Succeed())
		serve(store)
		Eventually(router.Of).WithArguments(ctx, owner.PID).Should(Equal(place("build", owner)))
	})

	It("is never told that a process is in none while no resident serves", func(ctx SpecContext) {
		_, err := router.Of(ctx, os.Getpid())
		Expect(err).To(MatchError(fs.ErrNotExist))
		Expect(store.Dir()).NotTo(BeAnExistingFile())
		v := serve(store)
		Expect(router.Of(ctx, os.Getpid())).To(BeZero())
		Expect(v.ends()).To(Succeed())
		_, err = router.Of(ctx, os.Getpid())
		Expect(err).To(Or(MatchError(fs.ErrNotExist), MatchError(syscall.ECONNREFUSED)))
	})

	It("is answered when the resident has taken over what an earlier one has left, and not before", func(ctx SpecContext) {
		owner := sleeper()
		running(store, "build", owner.Identity)
		earlier := sleeper() // whose locks the next one waits for
		card, err := json.Marshal(resident.Card{Process: earlier.Identity})
		Expect(err).NotTo(HaveOccurred())
		Expect(os.WriteFile(filepath.Join(store.Dir(), resident.LockName), card, 0o600)).To(Succeed())
		serve(store)
		answers := make(chan resident.Answer, 1)
		go func() {
			defer GinkgoRecover()
			answer, err := router.Ask(ctx, owner.PID)
			Expect(err).NotTo(HaveOccurred())
			answers <- answer
		}()
		names := make(chan string, 1)
		go func() {
			defer GinkgoRecover()
			name, err := resident.Which(ctx, store, owner.PID)
			Expect(err).NotTo(HaveOccurred())
			names <- name
		}()
		Eventually(func() (resident.Status, error) { return status(store) }).Should(HaveField("Process", self()))
		earlier.kill()
		Eventually(names).Should(Receive(Equal("build")))
		Eventually(answers).Should(Receive(Equal(resident.Answer{Place: place("build", owner), By: self()})))
	})

	It("may ask from many goroutines, and keeps few connections", func(ctx SpecContext) {
		serve(store)
		owner, other := asker(store), asker(store)
		watched("build", owner)
		watched("other", other)
		var all sync.WaitGroup
		for range 40 {
			all.Go(func() {
				defer GinkgoRecover()
				for range 20 {
					Expect(router.Of(ctx, owner.PID)).To(Equal(place("build", owner)))
					Expect(router.Of(ctx, other.PID)).To(Equal(place("other", other)))
				}
			})
		}
		all.Wait()
		Expect(resident.Idling(router)).To(BeNumerically("<=", 16))
	})

	It("gets the error of its context, and that the router is closed", func(ctx SpecContext) {
		serve(store)
		ended, end := context.WithCancel(ctx)
		end()
		_, err := router.Of(ended, os.Getpid())
		Expect(err).To(MatchError(context.Canceled))
		Expect(router.Close()).To(Succeed())
		_, err = router.Of(ctx, os.Getpid())
		Expect(err).To(MatchError(net.ErrClosed))
	})

	It("is not answered where it counts PIDs in another namespace", func() {
		serve(store)
		owner := asker(store)
		watched("build", owner)
		for _, boot := range []string{"elsewhere", ""} {
			in := fmt.Sprintf(`{"pid":%d,"boot":%q}`, owner.PID, boot)
			Expect(owner.asks(resident.MethodRoute, in)).To(HaveField("Name", resident.ErrorForeign))
		}
	})
})
