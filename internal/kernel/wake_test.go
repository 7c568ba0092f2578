//go:build darwin || linux

package kernel

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/internal/core"
	"github.com/gemini-monitor/gemini/internal/testproc"
)

var _ = Describe("A wake", func() {
	for _, m := range Ways() {
		It("ends the wait that is under way or the next one, on "+m.Name, Label(m.Needs...), func(ctx SpecContext) {
			k := testproc.Opened(m.Open())
			defer k.Close()
			k.Wake()
			Expect(k.Next(nil, core.Forever)).To(BeEmpty())
			done := make(chan struct{})
			go func() {
				defer close(done)
				_, _ = k.Next(nil, core.Forever)
			}()
			Expect(done).NotTo(BeClosed())
			k.Wake()
			Eventually(ctx, done).Should(BeClosed())
		}, testproc.Patience)
	}
})
