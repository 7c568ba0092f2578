//go:build darwin || linux

package harness_test

import (
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/harness"
)

var _ = Describe("Terminals", func() {
	It("are not mixed up when many are opened at once", func(ctx SpecContext) {
		var all sync.WaitGroup
		defer all.Wait()
		for range 4 {
			all.Go(func() {
				defer GinkgoRecover()
				for range 50 {
					Expect(harness.OpenAndCloseTerminal()).To(Succeed())
				}
			})
		}
	}, SpecTimeout(time.Minute))

	It("can be read with a deadline and closed during a read", Label("probe"), func() {
		Expect(harness.MasterIsPollable()).To(BeTrue())
	})
})
