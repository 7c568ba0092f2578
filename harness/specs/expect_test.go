//go:build darwin || linux

package specs_test

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/harness"
)

// A speaker is a job or a terminal.
type speaker interface {
	Expect(alternatives ...any) harness.Match
}

// within returns a speaker with another limit.
func within(out speaker, limit time.Duration) speaker {
	if job, ok := out.(*harness.Job); ok {
		return job.Within(limit)
	}
	return out.(*harness.Terminal).Within(limit)
}

// awaitExit waits for the end of the command of a speaker.
func awaitExit(out speaker) { out.(interface{ Wait() harness.Status }).Wait() }

var _ = Describe("Expect", func() {
	// Both write the same; a terminal makes \n into \r\n.
	for _, kind := range []string{"job", "terminal"} {
		start := func(s *harness.Stage, script string) speaker {
			if kind == "job" {
				return s.Start("sh", "-c", script)
			}
			return s.Terminal("sh", "-c", script)
		}
		systems := Label()
		if kind == "terminal" {
			systems = Label("linux") // macOS revokes a terminal when its leader exits
		}
		Context("of a "+kind, func() {
			const script = `printf 'one\ntwo v12.5 [x]\nthree\r\nfour\n'; exec sleep 88`

			It("finds literal text, and goes on behind it", func(ctx SpecContext) {
				stage := newStage()
				out := start(stage, script)
				Expect(out.Expect("two v")).To(And(HaveField("Text", "two v"), HaveField("Before", "one\n"), HaveField("Groups", BeEmpty())))
				Expect(out.Expect("[x]\n").Before).To(Equal("12.5 "), "brackets are text")
				Expect(out.Expect("three\r\nfour\n").Text).To(Equal("three\nfour\n"), "line ends are plain")
			}, SpecTimeout(time.Minute))

			It("says that a text came before the last match", func() {
				message, _ := failing(func(stage *harness.Stage) {
					out := start(stage, script)
					out.Expect("two")
					within(out, 50*time.Millisecond).Expect("never", "one")
				})
				Expect(message).To(ContainSubstring(`; "one" came before the end of the last match, where the search begins`))
			})

			It("finds a pattern and its groups", func(ctx SpecContext) {
				stage := newStage()
				out := start(stage, script)
				match := out.Expect(harness.Pattern(`(?m)^two v(\d+)\.(\d+)(-rc)? .*$`))
				Expect(match.Text).To(Equal("two v12.5 [x]"))
				Expect(match.Groups).To(Equal([]string{"12", "5", ""}))
				Expect(match.Before).To(Equal("one\n"))
				Expect(out.Expect(harness.Pattern(`(\w+)\nfour`)).Groups).To(Equal([]string{"three"}))
			}, SpecTimeout(time.Minute))

			It("finds the alternative that comes first", func(ctx SpecContext) {
				stage := newStage()
				out := start(stage, script)
				out.Expect("one\n")
				Expect(out.Expect("never", harness.Pattern("fo.r"), "three", "two")).To(And(HaveField("Index", 3), HaveField("Text", "two")))
				Expect(out.Expect("never", harness.Pattern("fo.r"), "three", "two")).To(And(HaveField("Index", 2), HaveField("Text", "three")))
				Expect(out.Expect("never", harness.Pattern("fo.r"))).To(And(HaveField("Index", 1), HaveField("Text", "four")))
			}, SpecTimeout(time.Minute))

			DescribeTable("fails the test with one clear line:", func(line string, alternatives ...any) {
				message, _ := failing(func(stage *harness.Stage) {
					out := start(stage, `printf 'one\ntwo\n'; exit 3`)
					out.Expect("one\n")
					out.Expect(alternatives...)
				})
				Expect(message).To(MatchRegexp(`^(job|sh)-0: ` + line + `$`))
			},
				Entry("a bad pattern", "expect: error parsing regexp: missing closing \\): `v\\(`", harness.Pattern("v(")),
				Entry("a bad pattern beside what is there", "expect: error parsing regexp: .*", "two", harness.Pattern("*")),
				Entry("another type", `expect: 42 has the type int: an alternative is a string or a Pattern`, 42),
				Entry("nothing", `expect: nothing is expected`),
				Entry("the end of the program", `"sh -c .*" has ended, exit 3: expect "never" or /nev\+er/: the output has ended( \(end of file\)|); last seen: "two\\n"`,
					"never", harness.Pattern("nev+er")),
			)

			It("fails at once when the program has been killed, though an orphan has the output", func() {
				began := time.Now()
				message, _ := failing(func(stage *harness.Stage) {
					out := start(stage, `trap '' HUP; (exec 3>&-; exec puppet keeper) & echo last; kill -9 $$`)
					stage.Puppet("keeper")
					out.Expect("never")
				})
				// The end of the command may be known before that of the oracle: the table shows the orphan then.
				Expect(message).To(MatchRegexp(`^(job|sh)-0: "sh -c .*" has ended, killed by SIGKILL` +
					`(: expect "never": the output has ended( \(end of file\))?|; its output is open in \d+ \(.*puppet keeper\): expect "never": it has not come); last seen: "last\\n"$`))
				Expect(time.Since(began)).To(BeNumerically("<", 20*time.Second))
			})

			for _, c := range []struct{ end, how string }{{"exit 4", "exit 4"}, {"kill -9 $$", "killed by SIGKILL"}} {
				It("fails when the command has failed, "+c.how+", though a descendant holds the output", systems, func() {
					message, _ := failing(func(stage *harness.Stage) {
						out := start(stage, "trap '' HUP; puppet keeper & echo last; "+c.end)
						stage.Puppet("keeper")
						within(out, time.Minute).Expect("never")
					})
					Expect(message).To(MatchRegexp(`^(job|sh)-0: "sh -c .*" has ended, ` + c.how + `; its output is open in \d+ \(.*puppet keeper\): expect "never": it has not come; last seen: "last\\n"$`))
				})
			}

			It("finds what a command has written that failed, though a descendant holds the output", systems, func(ctx SpecContext) {
				stage := newStage()
				out := start(stage, "trap '' HUP; puppet keeper & echo one; echo last; exit 4")
				Expect(out.Expect("last\n").Before).To(Equal("one\n"))
				stage.Puppet("keeper")
			}, SpecTimeout(time.Minute))

			It("says what holds the output when a command that exits with 0 has started it", systems, func() {
				message, _ := failing(func(stage *harness.Stage) {
					out := start(stage, "trap '' HUP; puppet keeper & exit 0")
					stage.Puppet("keeper")
					awaitExit(out)
					within(out, 50*time.Millisecond).Expect("never")
				})
				Expect(message).To(MatchRegexp(`^(job|sh)-0: "sh -c .*" has ended, exit 0; its output is open in \d+ \(.*puppet keeper\): expect "never": not within 50ms; last seen: ""$`))
			})

			It("waits for a descendant of a command that has failed, after the test has seen that", systems, func(ctx SpecContext) {
				stage := newStage()
				out := start(stage, `trap '' HUP; (puppet keeper; echo late) & exit 4`)
				keeper := stage.Puppet("keeper")
				awaitExit(out)
				found := make(chan harness.Match)
				go func() {
					defer GinkgoRecover()
					found <- out.Expect("late\n")
				}()
				Consistently(found, "50ms").ShouldNot(Receive())
				keeper.Exit(0)
				Eventually(ctx, found).Should(Receive(HaveField("Text", "late\n")))
			}, SpecTimeout(time.Minute))

			It("waits for an orphan that holds the oracle", systems, func(ctx SpecContext) {
				stage := newStage()
				out := start(stage, `trap '' HUP; (puppet keeper; echo late) & :`)
				keeper := stage.Puppet("keeper")
				found := make(chan harness.Match)
				go func() {
					defer GinkgoRecover()
					found <- out.Expect("late\n")
				}()
				Consistently(found, "50ms").ShouldNot(Receive())
				keeper.Exit(0)
				Eventually(ctx, found).Should(Receive(HaveField("Text", "late\n")))
			}, SpecTimeout(time.Minute))
		})
	}

	It("says that the screen has what the bytes have not", func() {
		message, _ := failing(func(stage *harness.Stage) {
			term := stage.Terminal("sh", "-c", `printf 'Apply old\033[7Gnew'; exec sleep 88`)
			term.ExpectScreen("Apply new")
			term.Within(50*time.Millisecond).Expect("never", "Apply new")
		})
		Expect(message).To(HaveSuffix(`; the screen has "Apply new": see ExpectScreen`))
	})

	It("has a limit, and shows what came instead", func() {
		message, _ := failing(func(stage *harness.Stage) {
			job := stage.Start("sh", "-c", "echo something else; exec sleep 88")
			job.Expect("some")
			job.Within(50 * time.Millisecond).Expect("never")
		})
		Expect(message).To(Equal(`job-0: expect "never": not within 50ms; last seen: "thing else\n"`))
	})

	It("goes on behind the last match in a copy with another limit", func(ctx SpecContext) {
		stage := newStage()
		job := stage.Start("sh", "-c", "echo one; echo one; echo two")
		job.Within(time.Minute).Expect("one\n")
		job.Expect("one\n")
		Expect(job.Within(time.Minute).Expect("two").Before).To(BeEmpty())
	}, SpecTimeout(time.Minute))
})
