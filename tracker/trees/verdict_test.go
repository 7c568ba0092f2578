package trees

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

var _ = DescribeTable("A verdict is one word", func(v Verdict, word string) {
	Expect(v.String()).To(Equal(word))
},
	Entry(nil, Unknown, "unknown"), Entry(nil, Alive, "alive"), Entry(nil, Empty, "empty"),
	Entry("even where there is none", Verdict(7), "verdict 7"),
)

var _ = It("A verdict that was not given is unknown", func() {
	var v Verdict
	Expect(v).To(Equal(Unknown))
})
