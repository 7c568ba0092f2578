package tracker

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

var _ = Describe("Who made a process", func() {
	It("is not asked for while a debugger holds it, and once afterwards", func() {
		p := row(11, 10, 10, 5, traced)
		asked := 0
		k := newLineageBook(
			func(int) (lineage, bool) { asked++; return lineage{self: 2, parent: 1}, true },
			func(int) (Process, error) { return p, nil },
		)
		k.complete(&p)
		k.completeAll([]Process{p})
		Expect(asked).To(BeZero())
		Expect(p.lineage).To(BeZero())
		p.Tracer = 0
		k.complete(&p)
		Expect(p.lineage).To(Equal(lineage{self: 2, parent: 1}))
		again := p
		again.Tracer, again.lineage = 99, lineage{}
		k.completeAll([]Process{again})
		k.complete(&again)
		Expect(again.lineage).To(Equal(p.lineage), "what is known stays known")
		Expect(asked).To(Equal(1))
	})
})
