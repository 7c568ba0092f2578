package kernel

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/internal/rehearsal"
	"github.com/gemini-monitor/gemini/tracker/process"
)

var _ = Describe("Who made a process", func() {
	It("is not asked for while a debugger holds it, and once afterwards", func() {
		p := rehearsal.Row(11, 10, 10, 5, rehearsal.Traced)
		asked := 0
		k := newLineageBook(
			func(int) (process.Lineage, bool) { asked++; return process.Lineage{Self: 2, Parent: 1}, true },
			func(int) (process.Row, error) { return p, nil },
		)
		k.complete(&p)
		k.completeAll([]process.Row{p})
		Expect(asked).To(BeZero())
		Expect(p.Lineage).To(BeZero())
		p.Tracer = 0
		k.complete(&p)
		Expect(p.Lineage).To(Equal(process.Lineage{Self: 2, Parent: 1}))
		again := p
		again.Tracer, again.Lineage = 99, process.Lineage{}
		k.completeAll([]process.Row{again})
		k.complete(&again)
		Expect(again.Lineage).To(Equal(p.Lineage), "what is known stays known")
		Expect(asked).To(Equal(1))
	})
})
