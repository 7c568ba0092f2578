//go:build darwin || linux

package specs_test

import (
	"syscall"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/harness"
)

var _ = Describe("A terminal", func() {
	for what, use := range map[string]func(term *harness.Terminal){
		`type "x\n"`:     func(term *harness.Terminal) { term.Send("x") },
		`type "\t"`:      func(term *harness.Terminal) { term.Key(harness.Tab) },
		"resize":         func(term *harness.Terminal) { term.Resize(10, 40) },
		"signal SIGTERM": func(term *harness.Terminal) { term.Signal(syscall.SIGTERM) },
	} {
		It("whose program has ended fails the test: "+what, func() {
			message, _ := failing(func(stage *harness.Stage) {
				term := stage.Terminal("true")
				term.ExpectExit(0)
				use(term)
			})
			Expect(message).To(Equal("true-0: " + what + `: "true" has ended, exit 0`))
		})
	}

	It("that the test has closed fails the test", func() {
		message, _ := failing(func(stage *harness.Stage) {
			term := stage.Terminal("sh", "-c", "trap '' HUP; exec puppet keeper")
			stage.Puppet("keeper")
			term.Hangup()
			term.Send("x")
		})
		Expect(message).To(Equal(`sh-0: type "x\n": the test has closed the terminal by Hangup`))
	})

	It("takes input for a descendant of a program that has ended", Label("linux"), func() { // macOS revokes the terminal
		term := newStage().Terminal("sh", "-c", `trap '' HUP; exec 4<&0; (read line <&4; echo "<$line>") & exit 0`)
		term.ExpectExit(0)
		term.Send("late")
		term.Expect("<late>")
	})
})
