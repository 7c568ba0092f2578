package process

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

var _ = Describe("A set of events", func() {
	DescribeTable("is words joined by plus signs", func(events Events, text string) {
		Expect(events.String()).To(Equal(text))
	},
		Entry("none", Events(0), ""),
		Entry("one", Exited, "exit"),
		Entry("all", Exited|Forked|Execed, "fork+exec+exit"),
	)

	It("has what is in it", func() {
		set := Forked | Exited
		Expect(set.Has(Forked)).To(BeTrue())
		Expect(set.Has(Forked | Exited)).To(BeTrue())
		Expect(set.Has(Execed)).To(BeFalse())
		Expect(set.Has(Execed | Forked)).To(BeFalse())
		Expect(set.Has(0)).To(BeTrue())
	})
})

var _ = DescribeTable("What is reported of forks is one word", func(f Forks, word string) {
	Expect(f.String()).To(Equal(word))
}, Entry(nil, ForksUnseen, "unseen"), Entry(nil, ForksAnnounced, "announced"), Entry(nil, ForksNamed, "named"))
