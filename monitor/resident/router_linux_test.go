package resident_test

import (
	"fmt"
	"os"
	"strconv"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/monitor/resident"
)

var _ = Describe("A service that is called by threads", Label("linux"), func() {
	It("gets the runtime of their process", func(ctx SpecContext) {
		store := newStore()
		serve(store)
		owner := asker(store)
		create(store, "build", owner.Identity)
		Expect(owner.asks(resident.MethodWatch, `{"name":"build"}`)).To(HaveField("Name", BeEmpty()))
		router, err := resident.NewRouter(store)
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(router.Close)

		threads, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", owner.PID))
		Expect(err).NotTo(HaveOccurred())
		Expect(len(threads)).To(BeNumerically(">", 1))
		for _, thread := range threads {
			id, err := strconv.Atoi(thread.Name())
			Expect(err).NotTo(HaveOccurred())
			for range 2 { // the second time it is remembered
				Expect(router.Of(ctx, id)).To(Equal(resident.Place{Name: "build", Owner: owner.Identity}))
			}
		}
	})
})
