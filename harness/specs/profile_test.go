//go:build darwin || linux

package specs_test

import (
	"fmt"
	"strings"
	"syscall"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/harness"
)

var _ = Describe("A shell as users have it", func() {
	for _, kind := range []harness.Kind{harness.Bash, harness.Zsh} {
		Context(string(kind), Label("shell:"+string(kind)), func() {
			var (
				stage *harness.Stage
				sh    *harness.Shell
			)

			BeforeEach(func(ctx SpecContext) {
				needs(kind)
				stage = newStage()
				stage.UserProfile()
				sh = stage.Shell(kind)
			})

			It("returns the exact output of a line and its status", func(ctx SpecContext) {
				for _, c := range []struct {
					what, line, output string
					status             int
				}{
					{"a word", "echo one", "one\n", 0},
					{"two lines", "echo one; echo two", "one\ntwo\n", 0},
					{"nothing", "true", "", 0},
					{"nothing typed", "", "", 0},
					{"a failure", "false", "", 1},
					{"a subshell's status", "(exit 42)", "", 42},
					{"a subshell's output", "(echo inside)", "inside\n", 0},
					{"no line end", "printf 'no end'", "no end", 0},
					{"a per cent sign and spaces at the end", "printf '50%%   '", "50%   ", 0},
					{"colours", `printf '\033[31mred\033[0m\n'`, "\x1b[31mred\x1b[0m\n", 0},
					{"a line longer than the screen is wide", "echo " + strings.Repeat("x", 200), strings.Repeat("x", 200) + "\n", 0},
					{"what looks like a prompt", "echo '$ '; echo '% '", "$ \n% \n", 0},
				} {
					shown, ended := sh.Run(c.line)
					Expect(shown).To(Equal(c.output), c.what)
					Expect(ended).To(Equal(c.status), c.what)
				}
			}, SpecTimeout(time.Minute))

			It("has what makes it a user's", func(ctx SpecContext) {
				output, _ := sh.Run("alias ll")
				Expect(output).To(ContainSubstring("ls -l"))
				output, _ = sh.Run("fc -l -5")
				Expect(output).To(ContainSubstring("alias ll"))
				Expect(sh.Transcript()).To(MatchRegexp(`\^\[\[\S*m`), "colours")
				sh.Press("ech")
				sh.Press("o  comple\x01\x05ted\n") // to the beginning of the line and to its end
				output, status := sh.Prompt()
				Expect(status).To(BeZero())
				Expect(output).To(Equal("completed\n"))
			}, SpecTimeout(time.Minute))

			It("has job control like a quiet one", func(ctx SpecContext) {
				sh.Send("puppet fore")
				fore := stage.Puppet("fore")
				sh.Suspend()
				sh.Foreground()
				Expect(fore.Report().Group).To(Equal(fore.PID()))
				_, status := sh.Interrupt()
				Expect(status).To(Equal(128 + int(syscall.SIGINT)))
				output, _ := sh.Run("echo $$")
				Expect(output).To(Equal(fmt.Sprintln(sh.PID())))
				Expect(sh.Exit().Signal).To(BeZero())
			}, SpecTimeout(time.Minute))

			It("can be started by another command", func(ctx SpecContext) {
				other := stage.AtTerminal(kind, "sh", "-c", `exec "$SHELL"`)
				other.Prompt()
				output, _ := other.Run("echo inside")
				Expect(output).To(Equal("inside\n"))
			}, SpecTimeout(time.Minute))

			It("returns the same on a terminal too narrow for its prompt", func(ctx SpecContext) {
				stage.TerminalSize(10, 20)
				narrow := stage.Shell(kind)
				output, _ := narrow.Run("echo one two three four five; stty size")
				Expect(output).To(Equal("one two three four five\n10 20\n"))
				narrow.Resize(40, 15)
				output, _ = narrow.Run("echo one two three four five; stty size")
				Expect(output).To(Equal("one two three four five\n40 15\n"))
			}, SpecTimeout(time.Minute))
		})
	}
})
