package process

import (
	"encoding/json"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

var _ = Describe("The name of a program", func() {
	DescribeTable("is what the kernel wrote", func(text, name string) {
		Expect(nameOf([]byte(text)).String()).To(Equal(name))
	},
		Entry("short", "sh", "sh"),
		Entry("none", "", ""),
		Entry("as long as macOS has it", strings.Repeat("x", 16), strings.Repeat("x", 16)),
		Entry("longer", strings.Repeat("x", 17), strings.Repeat("x", 16)),
		Entry("padded", "sh\x00\x00\x00", "sh"),
		Entry("followed by what an older name left", "sh\x00old", "sh"),
		Entry("with spaces, brackets and new lines", "a (b) \n", "a (b) \n"),
	)

	It("is the same value for the same name", func() {
		Expect(nameOf([]byte("sh\x00old"))).To(Equal(nameOf([]byte("sh"))))
	})

	It("survives JSON", func() {
		var back Name
		text, err := json.Marshal(nameOf([]byte(`a "b"`)))
		Expect(err).NotTo(HaveOccurred())
		Expect(text).To(MatchJSON(`"a \"b\""`))
		Expect(json.Unmarshal(text, &back)).To(Succeed())
		Expect(back).To(Equal(nameOf([]byte(`a "b"`))))
	})

	It("is cut when JSON has a longer one", func() {
		var back Name
		Expect(json.Unmarshal([]byte(`"`+strings.Repeat("y", 40)+`"`), &back)).To(Succeed())
		Expect(back.String()).To(Equal(strings.Repeat("y", 16)))
	})
})

var _ = Describe("The state of a process", func() {
	DescribeTable("is one word, in JSON too", func(state State, word string) {
		var back State
		text, err := json.Marshal(state)
		Expect(err).NotTo(HaveOccurred())
		Expect(text).To(MatchJSON(`"` + word + `"`))
		Expect(json.Unmarshal(text, &back)).To(Succeed())
		Expect(back).To(Equal(state))
		Expect(state.String()).To(Equal(word))
	},
		Entry(nil, Running, "running"), Entry(nil, Stopped, "stopped"),
		Entry(nil, Exiting, "exiting"), Entry(nil, Zombie, "zombie"),
	)

	It("returns the number where it has no word", func() {
		Expect(State(9).String()).To(Equal("state 9"))
	})

	DescribeTable("is not read from anything else", func(text string) {
		var s State
		Expect(json.Unmarshal([]byte(text), &s)).NotTo(Succeed())
	}, Entry("another word", `"asleep"`), Entry("a number", `1`), Entry("no word", `""`))
})

var _ = Describe("A process", func() {
	It("survives JSON", func() {
		p := Process{
			Identity: Identity{PID: 10, Start: 12345, Boot: "b"}, Parent: 5, Tracer: 99, Group: 10,
			Session: 5, User: 501, State: Stopped, Command: nameOf([]byte("zsh")),
		}
		text, err := json.Marshal(p)
		Expect(err).NotTo(HaveOccurred())
		Expect(text).To(MatchJSON(`{"pid": 10, "start": 12345, "boot": "b", "parent": 5, "tracer": 99,
			"group": 10, "session": 5, "user": 501, "state": "stopped", "command": "zsh"}`))
		var back Process
		Expect(json.Unmarshal(text, &back)).To(Succeed())
		Expect(back).To(Equal(p))
	})

	It("without a debugger does not mention one", func() {
		text, err := json.Marshal(Process{})
		Expect(err).NotTo(HaveOccurred())
		Expect(string(text)).NotTo(ContainSubstring("tracer"))
	})

	It("is named by PID and start time", func() {
		Expect(Identity{PID: 10, Start: 12345, Boot: "b"}.String()).To(Equal("10@12345"))
	})
})
