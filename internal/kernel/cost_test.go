//go:build darwin || linux

package kernel

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/internal/testproc"
)

var _ = Describe("The cost of a read", func() {
	// burn uses the processor in a goroutine of its own until it has had that much.
	burn := func(amount time.Duration) (burned chan time.Duration) {
		burned = make(chan time.Duration, 1)
		go func() {
			burned <- costOf(func() {
				for before := threadTime(); threadTime()-before < amount; {
				}
			})
		}()
		return burned
	}

	It("is what its own thread spends, not what other goroutines do meanwhile", func() {
		const much = 200 * time.Millisecond
		var others time.Duration
		cost := costOf(func() { others = <-burn(much) })
		Expect(others).To(BeNumerically(">=", much))
		Expect(cost).To(BeNumerically("<", others/2))
	})

	It("counts the work of its own thread", func() {
		const much = 20 * time.Millisecond
		own := costOf(func() {
			for before := threadTime(); threadTime()-before < much; {
			}
		})
		Expect(own).To(BeNumerically(">=", much))
	})

	for _, w := range Ways() {
		It("is reported by a kernel: "+w.Name, func(ctx SpecContext) {
			k := testproc.Opened(w.Open())
			defer k.Close()
			Eventually(ctx, func() (cost time.Duration, err error) {
				_, cost, err = k.Read(nil)
				return cost, err
			}).Should(BeNumerically(">", 0))
		}, testproc.Patience)
	}
})
