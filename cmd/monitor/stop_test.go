package main

import (
	"syscall"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

var _ = DescribeTable("The signal of stop is read from", func(text string, sig syscall.Signal) {
	Expect(parseSignal(text)).To(Equal(sig))
},
	Entry("a name", "TERM", syscall.SIGTERM),
	Entry("a name in small letters", "int", syscall.SIGINT),
	Entry("a name as C has it", "SIGKILL", syscall.SIGKILL),
	Entry("a number", "15", syscall.SIGTERM),
)

var _ = DescribeTable("The signal of stop is refused where it is", func(text, what string) {
	_, err := parseSignal(text)
	Expect(err).To(MatchError(ContainSubstring(what)))
	Expect(exitCode(err)).To(Equal(exitUsage))
},
	Entry("no signal", "nosuch", `not "nosuch"`),
	Entry("the signal that tests", "0", `not "0"`),
	Entry("no number of one", "-9", `not "-9"`),
	Entry("empty", "", `not ""`),
	Entry("one that stops and does not end", "STOP", "not SIGSTOP"),
	Entry("one that continues", "cont", "not SIGCONT"),
)
