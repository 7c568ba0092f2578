package main

import (
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

var _ = DescribeTable("A text is cut to a width", func(text string, room int, cut string) {
	Expect(shorten(text, room)).To(Equal(cut))
	Expect(columns(cut)).To(BeNumerically("<=", max(room, 0)))
},
	Entry("not where it fits", "sleep 600", 9, "sleep 600"),
	Entry("with dots", "sleep 600", 8, "sleep 6…"),
	Entry("without, where there is no room for them", "sleep", 1, "s"),
	Entry("to nothing", "sleep", 0, ""),
	Entry("to less than nothing", "sleep", -5, ""),
	Entry("between letters of several bytes", "größen.o", 7, "größen…"),
	Entry("before a wide letter that does not fit", "文字文字", 6, "文字…"),
	Entry("without parting a letter from its mark", "e\u0301e\u0301e\u0301e\u0301e\u0301", 4, "e\u0301e\u0301e\u0301…"),
)

var _ = DescribeTable("A line is fit into a width", func(width int, line string) {
	Expect(fit("12 ", "make -j 8 all the rest", " (3 min)", width)).To(Equal(line))
},
	Entry("none", 0, "12 make -j 8 all the rest (3 min)"),
	Entry("that is enough", 33, "12 make -j 8 all the rest (3 min)"),
	Entry("by cutting the command", 26, "12 make -j 8 all … (3 min)"),
	Entry("by cutting the line, where too little of the command were left", 15, "12 make -j 8 a…"),
)

var _ = DescribeTable("An age has two units at most", func(d time.Duration, words string) {
	Expect(age(d)).To(Equal(words))
},
	Entry(nil, -time.Hour, "0 s"),
	Entry(nil, 999*time.Millisecond, "0 s"),
	Entry(nil, 59*time.Second, "59 s"),
	Entry(nil, time.Minute, "1 min"),
	Entry(nil, time.Hour-1, "59 min"),
	Entry(nil, time.Hour, "1 h 0 min"),
	Entry(nil, 24*time.Hour-1, "23 h 59 min"),
	Entry(nil, 73*time.Hour, "3 d 1 h"),
)

var _ = It("A command line that is not known is the kernel's name of the program", func() {
	Expect(detail{}.command(member(10, 5, "a\x1bb").Process)).To(Equal(`a\033b`))
	Expect(detail{Arguments: []string{"sh", "-c", "a b"}}.command(member(10, 5, "sh").Process)).To(Equal("sh -c 'a b'"))
	long := detail{Arguments: []string{strings.Repeat("x", 100)}, Cut: true}
	Expect(long.command(member(10, 5, "sh").Process)).To(HaveSuffix("xx …"))
})
