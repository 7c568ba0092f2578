package process

import (
	"fmt"
	"os"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// statLine is a line of /proc/PID/stat, with what the table reads of it.
func statLine(command, state string, threads int) []byte {
	return fmt.Appendf(nil, "4711 (%s) %s 17 4700 4600 34816 4711 4194304 1 2 3 4 5 6 7 8 20 0 %d 0 987654 9 8 7\n",
		command, state, threads)
}

var _ = Describe("A line of /proc/PID/stat", func() {
	DescribeTable("is read whatever the command holds", func(command string) {
		p, err := parseStat(statLine(command, "S", 1))
		Expect(err).NotTo(HaveOccurred())
		Expect(p).To(Equal(Row{Process: Process{
			Identity: Identity{PID: 4711, Start: 987654}, Parent: 17, Group: 4700, Session: 4600,
			State: Running, Command: nameOf([]byte(command)),
		}}))
	},
		Entry("a word", "bash"),
		Entry("nothing", ""),
		Entry("spaces", "a b c"),
		Entry("a closing bracket", "a) Z 1 2 3"),
		Entry("brackets", "(sd-pam)"),
		Entry("only brackets", ")("),
		Entry("a new line", "a\nb"),
		Entry("what looks like the rest", "x) S 1 1 1 1"),
		Entry("bytes that are no text", "\xff\xfe"),
	)

	DescribeTable("has the state", func(letter string, threads int, state State) {
		p, err := parseStat(statLine("x", letter, threads))
		Expect(err).NotTo(HaveOccurred())
		Expect(p.State).To(Equal(state))
	},
		Entry("on the processor", "R", 1, Running),
		Entry("asleep", "S", 1, Running),
		Entry("waiting for a disk", "D", 1, Running),
		Entry("idle, a thread of the kernel", "I", 1, Running),
		Entry("stopped", "T", 1, Stopped),
		Entry("stopped by a debugger", "t", 1, Stopped),
		Entry("dead", "Z", 1, Zombie),
		Entry("dead and being forgotten", "X", 1, Zombie),
		Entry("first thread dead, others alive", "Z", 2, Running),
	)

	It("without threads proves nothing, for the process may be about to have another first one", func() {
		_, err := parseStat(statLine("x", "Z", 0))
		Expect(err).To(MatchError(errPassing))
	})

	DescribeTable("is an error when it is cut", func(line string) {
		_, err := parseStat([]byte(line))
		Expect(err).To(MatchError(ContainSubstring("unexpected line")))
	},
		Entry("to nothing", ""),
		Entry("in the PID", "47"),
		Entry("in the command", "4711 (ba"),
		Entry("after the command", "4711 (bash)"),
		Entry("before the start time", string(statLine("bash", "S", 1)[:62])),
		Entry("with brackets the wrong way", "4711 )bash("),
	)

	It("has a negative field as such", func() {
		p, err := parseStat([]byte(strings.Replace(string(statLine("x", "S", 1)), "4700", "-1", 1)))
		Expect(err).NotTo(HaveOccurred())
		Expect(p.Group).To(Equal(-1))
	})

	It("of this process is understood", func() {
		line, err := os.ReadFile("/proc/self/stat")
		Expect(err).NotTo(HaveOccurred())
		p, err := parseStat(line)
		Expect(err).NotTo(HaveOccurred())
		Expect(p).To(And(HaveField("PID", os.Getpid()), HaveField("Parent", os.Getppid()), HaveField("State", Running)))
	})
})
