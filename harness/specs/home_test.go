//go:build darwin || linux

package specs_test

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/harness"
)

var _ = Describe("The home of a command", func() {
	It("is empty, and nothing names start-up files", func(ctx SpecContext) {
		stage := newStage()
		Expect(stage.Run("sh", "-c", `ls -A "$HOME"; echo "<$ENV$ZDOTDIR$BASH_SILENCE_DEPRECATION_WARNING>"`).Stdout).To(Equal("<>\n"))
	}, SpecTimeout(time.Minute))

	It("leaves a shell the prompt of the test", Label("shell:bash"), func(ctx SpecContext) {
		needs(harness.Bash)
		term := newStage().Command("bash", "--noprofile", "-i").Env("PS1", "my prompt> ").Env("HISTFILE", "").Terminal()
		term.Send("PS1='<mine> '; echo $((40+2))") // a start-up file of the machine may set PS1
		Expect(term.Expect("<mine> ").Before).NotTo(MatchRegexp(`\{[0-9a-f]{8}:\d+\} `))
		Expect(term.Output()).To(ContainSubstring("42"))
		term.Send("exit")
		term.Wait()
	}, SpecTimeout(time.Minute))

	It("is another one for shells, and Setenv holds for both", func(ctx SpecContext) {
		stage := newStage()
		output, _ := stage.Shell(harness.Sh).Run("ls -A ~")
		Expect(output).To(ContainSubstring(".shrc"))
		stage.Setenv("HOME", stage.Path())
		output, _ = stage.Shell(harness.Sh).Run("echo ~")
		Expect(output).To(Equal(stage.Path() + "\n"))
	}, SpecTimeout(time.Minute))
})
