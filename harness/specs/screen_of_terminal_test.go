//go:build darwin || linux

package specs_test

import (
	"fmt"
	"runtime"
	"strings"
	"syscall"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/harness"
	"github.com/gemini-monitor/gemini/harness/internal/table"
)

var _ = Describe("The screen of a terminal", func() {
	var stage *harness.Stage

	BeforeEach(func() { stage = newStage() })

	// show starts a program that writes text and waits.
	show := func(stage *harness.Stage, text string) *harness.Terminal {
		return stage.Command("sh", "-c", "printf '"+text+"'; read line").Size(6, 20).Terminal()
	}

	It("has what is seen, not the bytes", func(ctx SpecContext) {
		term := show(stage, `Apply old\033[7Gnew\033[3;5Hfar\033[1;1HQ`)
		term.ExpectScreen("Qpply new")
		term.ExpectScreen("far")
		Expect(term.Screen()).To(Equal("Qpply new\n\n    far"))
		Expect(term.Transcript()).To(ContainSubstring("Apply old"))
	}, SpecTimeout(time.Minute))

	It("has text of several lines below each other, where they begin in the same column", func(ctx SpecContext) {
		term := show(stage, `one   two\r\n      three\r\n┌──┐é\r\n│ab│x\r\n`)
		term.ExpectScreen("two\nthree")
		term.ExpectScreen("ab│x")
		term.ExpectScreen("┐é\n│x")
		message, _ := failing(func(stage *harness.Stage) {
			term := show(stage, `one   two\r\n   three`)
			term.ExpectScreen("three")
			term.Within(50 * time.Millisecond).ExpectScreen("two\nthree")
		})
		Expect(message).To(Equal("sh-0: expect \"two\\nthree\" on the screen: not within 50ms; the lines are there, in columns 7 and 4; the screen has:\n  | one   two\n  |    three"))
	}, SpecTimeout(time.Minute))

	It("has text in a style, text that goes and a cursor", func(ctx SpecContext) {
		term := stage.Command("sh", "-c", `printf '\033[2;3H\033[1;31mred\033[0m \033[7mbar \033[0m'; read line; `+
			`printf '\033[2;3Hplain\033[K\033[4;5H'; read line`).Size(6, 20).Terminal()
		term.ExpectScreen(harness.Styled("31", "red"))
		term.ExpectScreen("never", harness.Styled("1;31", "red"))
		term.ExpectScreen(harness.Styled("7", "bar "))
		term.ExpectGone(harness.Styled("7", "red"), harness.Styled("32", "red"), harness.Styled("7", "bar  "), "never")
		term.ExpectCursor(2, 11)
		term.Send("go on")
		term.ExpectGone("red", harness.Pattern("b.r"))
		term.ExpectCursor(4, 5)
		row, column := term.Cursor()
		Expect([]int{row, column}).To(Equal([]int{4, 5}))
		Expect(term.Screen()).To(Equal("\n  plain"))
		for what, expect := range map[string]func(*harness.Terminal){
			`expect that the screen has no "plain": not within 50ms; the screen has:\n  | \n  |   plain`:                                           func(t *harness.Terminal) { t.ExpectGone("plain") },
			`expect "plain" in the style "7" on the screen: not within 50ms; "plain" is there without a style; the screen has:\n  | \n  |   plain`: func(t *harness.Terminal) { t.ExpectScreen(harness.Styled("7", "plain")) },
			`expect the cursor in row 1, column 1: not within 50ms; the screen has:\n  | \n  |   plain\n  the cursor is in row 2, column 8`:        func(t *harness.Terminal) { t.ExpectCursor(1, 1) },
			`expect: Styled("red", "plain") is not a style like "1;31" and text of one line`:                                                       func(t *harness.Terminal) { t.ExpectScreen(harness.Styled("red", "plain")) },
		} {
			message, _ := failing(func(stage *harness.Stage) {
				term := show(stage, `\033[2;3Hplain`)
				term.ExpectScreen("plain")
				expect(term.Within(50 * time.Millisecond))
			})
			Expect(message).To(Equal("sh-0: " + strings.ReplaceAll(what, `\n`, "\n")))
		}
	}, SpecTimeout(time.Minute))

	It("says in which style a text is that is expected in another one", func() {
		message, _ := failing(func(stage *harness.Stage) {
			term := show(stage, `\033[1;31mred\033[0m`)
			term.ExpectScreen("red")
			term.Within(50 * time.Millisecond).ExpectScreen(harness.Styled("7", "red"))
		})
		Expect(message).To(ContainSubstring(`not within 50ms; "red" is there in the style "1;31"; the screen has:`))
	})

	It("follows a resize, of which the program hears", func(ctx SpecContext) {
		perl()
		term := stage.Command("perl", "-MPOSIX", "-e", `$SIG{WINCH} = sub { system "stty size" }; $| = 1; `+
			`sigprocmask(SIG_BLOCK, POSIX::SigSet->new(28)); print "ready\n"; sigsuspend(POSIX::SigSet->new) for 1..2`).Size(6, 20).Terminal()
		term.ExpectScreen("ready")
		term.Resize(10, 40)
		term.ExpectScreen("10 40")
		term.Resize(5, 8)
		term.ExpectScreen("5 8")
		term.ExpectExit(0)
	}, SpecTimeout(time.Minute))

	It("shows what is typed only with echo", func(ctx SpecContext) {
		quiet, loud := stage.Command("cat").Terminal(), stage.Command("cat").Echo().Terminal()
		for _, term := range []*harness.Terminal{quiet, loud} {
			term.Send("hello")
			term.ExpectScreen("hello")
			term.Key(harness.CtrlD)
			term.ExpectExit(0)
		}
		Expect(quiet.Screen()).To(Equal("hello"))
		Expect(loud.Screen()).To(HavePrefix("hello\nhello"))
	}, SpecTimeout(time.Minute))

	It("answers a program that asks where the cursor is", func(ctx SpecContext) {
		perl()
		term := stage.Command("perl", "-e", `$| = 1; system "stty raw -echo"; print "\033[3;7H\033[6n"; `+
			`while (read STDIN, $c, 1) { $a .= $c; last if $c eq "R" } system "stty sane"; $a =~ s/\033/ESC/; print "<$a>"`).Size(6, 20).Terminal()
		term.Expect("<ESC[3;7R>")
		term.ExpectExit(0)
	}, SpecTimeout(time.Minute))

	It("has everything after the exit, at once", func(ctx SpecContext) {
		for range 20 {
			term := stage.Command("sh", "-c", `i=0; while [ $i -lt 30 ]; do echo "line $i"; i=$((i+1)); done; printf last`).Size(4, 20).Terminal()
			term.Wait()
			Expect(term.Screen()).To(Equal("line 27\nline 28\nline 29\nlast"))
		}
	}, SpecTimeout(time.Minute))

	DescribeTable("is in the failure, at once, when the program has ended:", func(end func(term *harness.Terminal), words string) {
		began := time.Now()
		message, _ := failing(func(stage *harness.Stage) {
			term := show(stage, `Apply old\033[7Gnew`)
			term.ExpectScreen("Apply new")
			end(term)
			term.ExpectScreen("Applied")
		})
		Expect(message).To(MatchRegexp(`^sh-0: expect "Applied" on the screen: ` + words + `; the screen has:\n  \| Apply new$`))
		Expect(time.Since(began)).To(BeNumerically("<", 20*time.Second))
	},
		Entry("killed", func(term *harness.Terminal) { term.Signal(syscall.SIGKILL) }, `"sh -c .*" has ended, killed by SIGKILL`),
		Entry("interrupted", func(term *harness.Terminal) { term.Key(harness.CtrlC) }, `"sh -c .*" has ended, killed by SIGINT`),
		Entry("exited", func(term *harness.Terminal) { term.Send("") }, `"sh -c .*" has ended, exit 0`),
		Entry("hung up", func(term *harness.Terminal) { term.Hangup() }, `"sh -c .*" has ended, (exit \d+|killed by SIGHUP)`),
	)

	It("fails a test that types into a program that does not read", func() {
		message, _ := failing(func(stage *harness.Stage) {
			term := stage.Command("sh", "-c", "stty raw; echo ready; exec sleep 88").Terminal()
			term.Expect("ready")
			term = term.Within(100 * time.Millisecond)
			for range 100 {
				term.Press(strings.Repeat("x", 1000))
			}
		})
		Expect(message).To(MatchRegexp(`^sh-0: type "x+": .*timeout$`))
	})

	It("is what no line of 1024 bytes can be typed into, as macOS would cut it", func() {
		message, _ := failing(func(stage *harness.Stage) { stage.Terminal("cat").Send(strings.Repeat("x", 1024)) })
		Expect(message).To(Equal("cat-0: a line of 1024 bytes is too long to be typed"))
	})
})

var _ = Describe("A shell that is not installed", func() {
	It("skips the test with a reason", func() {
		t := &skippedT{}
		ran := false
		t.run(func() {
			harness.New(t, small).Shell("no-such-shell")
			ran = true
		})
		Expect(t.reason).To(MatchRegexp(`^the shell no-such-shell is not installed: .*executable file not found`))
		Expect(t.failed || ran).To(BeFalse())
	})
})

// A skippedT keeps the reason of a skip.
type skippedT struct {
	quietT
	reason string
}

func (t *skippedT) Skipf(format string, args ...any) {
	t.reason = fmt.Sprintf(format, args...)
	runtime.Goexit()
}

var _ = Describe("What a test waits for at a terminal", func() {
	It("is one of several texts or patterns on the screen", func() {
		stage := newStage()
		term := stage.Terminal("sh", "-c", `printf 'done: 42%%\n'; read line`)
		term.ExpectScreen("never", harness.Pattern(`(?m)^done: \d+%$`))
		message, _ := failing(func(stage *harness.Stage) { stage.Terminal("true").ExpectScreen(harness.Pattern("(")) })
		Expect(message).To(ContainSubstring("missing closing )"))
	})

	It("is the echo, which a program turns off after its prompt", func() {
		stage := newStage()
		term := stage.Command("sh", "-c", `printf 'Password: '; stty -echo; read word; stty echo; echo; echo "got $word"; read line`).Echo().Terminal()
		term.Expect("Password: ")
		term.ExpectEcho(false)
		term.Send("secret")
		Expect(term.Expect("got secret").Before).NotTo(ContainSubstring("secret"))
		term.ExpectEcho(true)
	})
})

var _ = Describe("A puppet that does not come", func() {
	It("fails the test at once when no process of the stage lives", Label("linux"), func() {
		message, _ := failing(func(stage *harness.Stage) {
			stage.Start("puppet", "other").Signal(syscall.SIGCONT)
			stage.Puppet("other").Exit(0)
			stage.Puppet("ghost")
		})
		Expect(message).To(Equal("no puppet called ghost has greeted, and no process of the stage lives; greeted: other"))
	})

	It("fails the test with another text when all of that name were handed out", func() {
		message, _ := failing(func(stage *harness.Stage) {
			stage.Start("puppet", "leaf")
			stage.Puppet("leaf")
			stage.Within(50 * time.Millisecond).Puppet("leaf")
		})
		Expect(message).To(Equal("no further puppet called leaf has greeted; the test has all that did: not within 50ms; greeted: leaf"))
	})

	It("fails the test at once when the child has ended that was to be it", func() {
		began := time.Now()
		message, _ := failing(func(stage *harness.Stage) {
			stage.Start("puppet", "owner")
			owner := stage.Puppet("owner")
			owner.Setenv("HARNESS_PUPPETS", stage.Path("nowhere"))
			owner.Fork("leaf")
		})
		Expect(message).To(MatchRegexp(`^no puppet called leaf has greeted, and PID \d+, which puppet owner has started for it, has ended; greeted: owner$`))
		Expect(time.Since(began)).To(BeNumerically("<", 20*time.Second))
	})
})

var _ = Describe("Running", func() {
	It("is expected in vain of a command that has ended a moment ago", func(ctx SpecContext) {
		for range 20 {
			message, _ := failing(func(stage *harness.Stage) {
				job := stage.Start("puppet", "root")
				stage.Puppet("root").Exit(0)
				Eventually(func() bool {
					row, err := table.Of(job.PID())
					return err != nil || row.Ended
				}).Should(BeTrue())
				job.ExpectRunning()
			})
			Expect(message).To(ContainSubstring("it has ended, exit 0"))
		}
	}, SpecTimeout(time.Minute))
})
