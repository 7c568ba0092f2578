//go:build darwin || linux

package kernel

import (
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/internal/testproc"
	"github.com/gemini-monitor/gemini/tracker/process"
)

var _ = Describe("The process table", func() {
	It("is read again without making garbage", func(ctx SpecContext) {
		t, err := process.OpenReader()
		Expect(err).NotTo(HaveOccurred())
		defer t.Close()
		k := kernelOf(nil, t)
		testproc.Children(400)
		rows := testproc.Sure(ctx, func() ([]process.Row, error) {
			rows, _, err := k.Read(make([]process.Row, 0, 10_000))
			return rows, err
		})
		// The name of a command that was not there before is kept, and on a busy
		// machine most reads find one. One that finds none decides.
		Eventually(ctx, func() float64 {
			return testing.AllocsPerRun(1, func() { rows, _, err = k.Read(rows[:0]) })
		}).Should(BeZero())
		Expect(testproc.Faulty || err == nil).To(BeTrue(), "%v", err)
	}, Serial, testproc.Patience)
})
