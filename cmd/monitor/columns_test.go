package main

import (
	"bytes"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

var _ = Describe("A table", func() {
	const long = "integration-tests-of-the-web-server-0a1b2c3d"
	printed := func(width int, rows ...[]string) (lines []string) {
		GinkgoHelper()
		var out bytes.Buffer
		Expect(printRows(&out, append([][]string{{"NAME", "STATE", "COMMAND"}}, rows...), width)).To(Succeed())
		for line := range strings.Lines(out.String()) {
			if width > 0 {
				Expect(columns(strings.TrimSuffix(line, "\n"))).To(BeNumerically("<=", width))
			}
			lines = append(lines, strings.TrimSuffix(line, "\n"))
		}
		return lines
	}
	row := []string{long, "running", "make -j 8 all the rest of it"}

	It("is whole where there is no terminal, and where it is wide", func() {
		for _, width := range []int{0, 100} {
			Expect(printed(width, row)[1]).To(Equal(long + "  running  make -j 8 all the rest of it"))
		}
	})

	It("has its last column cut before its names", func() {
		Expect(printed(len(long)+2+9+leastLast, row)[1]).To(Equal(long + "  running  make -j 8 all the rest …"))
	})

	It("has long names cut in front of their end, where they leave too little for the last column", func() {
		Expect(printed(60, row, []string{"web", "running", "sleep 600"})).To(Equal([]string{
			"NAME                       STATE    COMMAND",
			"integration-tes…-0a1b2c3d  running  make -j 8 all the rest …",
			"web                        running  sleep 600",
		}))
	})

	It("keeps some of its names on the narrowest terminal", func() {
		Expect(printed(30, row)[1]).To(HavePrefix("integr…b2c3d  "))
		Expect(printed(1, row)[1]).To(Equal("i"))
	})
})

var _ = DescribeTable("A line wraps between words", func(line string, width int, wrapped string) {
	Expect(wrap(line, width)).To(Equal(wrapped))
},
	Entry("not without a terminal", "one two three", 0, "one two three"),
	Entry("not where it fits", "one two three", 13, "one two three"),
	Entry("where it does not, with an indent", "one two three", 12, "one two\n    three"),
	Entry("more than once", "one two three four", 9, "one two\n    three\n    four"),
	Entry("around a word that is wider than a line", "a verylongword b", 6, "a\n    verylongword\n    b"),
	Entry("by the columns of its letters", "文字文字 文字", 10, "文字文字\n    文字"),
	Entry("with its spaces", "a  b", 10, "a  b"),
)
