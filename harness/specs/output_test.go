//go:build darwin || linux

package specs_test

import (
	"strings"
	"syscall"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/harness"
)

var _ = Describe("Standard error that is kept apart", func() {
	It("is expected like standard output, each behind its own last match", func(ctx SpecContext) {
		stage := newStage()
		job := stage.Command("sh", "-c", "echo out one; echo err one >&2; echo err two >&2; echo out two").Apart().Start()
		job.Expect("out one\n")
		job.ExpectStderr("err one\n")
		Expect(job.ExpectStderr(harness.Pattern(`err (\w+)\n`)).Groups).To(Equal([]string{"two"}))
		Expect(job.Expect("out two").Before).To(BeEmpty())
	}, SpecTimeout(time.Minute))

	It("has no control characters in the report, as output has none", func() {
		_, report := failing(func(stage *harness.Stage) {
			job := stage.Command("sh", "-c", `printf 'a\000b\033[31m\n'; printf 'c\000d\n' >&2`).Apart().Start()
			job.ExpectExit(1)
		})
		Expect(report).To(ContainSubstring("job-0 wrote\na^@b^[[31m\n"))
		Expect(report).To(ContainSubstring("job-0 wrote to standard error\nc^@d\n"))
	})

	It("is expected with standard output where it is not apart", func(ctx SpecContext) {
		stage := newStage()
		job := stage.Start("sh", "-c", "echo one; echo two >&2; echo three")
		job.ExpectStderr("two\n")
		Expect(job.Expect("three").Before).To(BeEmpty())
	}, SpecTimeout(time.Minute))

	DescribeTable("is in the message of a failure, and in the report:", func(test func(job *harness.Job), message string) {
		const cause = "worker: no such file\n"
		got, report := failing(func(stage *harness.Stage) {
			job := stage.Command("sh", "-c", "echo begins; echo 'worker: no such file' >&2; exit 3").Apart().Start()
			test(job)
		})
		Expect(got).To(MatchRegexp("^job-0: " + message + "$"))
		Expect(report).To(MatchRegexp(`(?m)job-0 \d+ +< begins$`))
		Expect(report).To(MatchRegexp(`(?m)job-0 \d+ +! worker: no such file$`))
		Expect(report).To(ContainSubstring("job-0 wrote to standard error\n" + cause))
	},
		Entry("Expect", func(j *harness.Job) { j.Expect("ready") },
			`"sh -c .*" has ended, exit 3: expect "ready": the output has ended( \(end of file\))?; last seen: "begins\\n"; last standard error: "worker: no such file\\n"`),
		Entry("ExpectStderr", func(j *harness.Job) { j.ExpectStderr("ready") },
			`standard error: "sh -c .*" has ended, exit 3: expect "ready": the output has ended( \(end of file\))?; last seen: "worker: no such file\\n"; last standard output: "begins\\n"`),
		Entry("ExpectExit", func(j *harness.Job) { j.ExpectExit(0) },
			`expect "sh -c .*" to exit with 0: it exited with 3; last output: "begins\\n"; last standard error: "worker: no such file\\n"`),
	)
})

var _ = Describe("The output of a job", func() {
	It("is in the timeline where it came", func() {
		_, report := failing(func(stage *harness.Stage) {
			job := stage.Start("sh", "-c", `echo "line 1"; echo "line 2"; kill -STOP $$; echo end`)
			job.Expect("line 2\n")
			job.ExpectStopped()
			stage.Logf("it is continued")
			job.Signal(syscall.SIGCONT)
			job.ExpectExit(7)
		})
		Expect(report).To(MatchRegexp(strings.Join([]string{
			`job-0 \d+ +started: sh -c`, `job-0 \d+ +< line 1`, ` +< line 2`, `it is continued`, `job-0 \d+ +< end`, `FAILED`,
		}, `(.*\n)+?.*`)))
	})

	It("is in the message that another end was expected, at a terminal as well", func() {
		message, _ := failing(func(stage *harness.Stage) {
			stage.Start("sh", "-c", "echo one; echo two >&2; exit 3").ExpectExit(0)
		})
		Expect(message).To(HaveSuffix(`to exit with 0: it exited with 3; last output: "one\ntwo\n"`))
		message, _ = failing(func(stage *harness.Stage) {
			term := stage.Terminal("sh", "-c", "echo one; read line; exit 3")
			term.Expect("one")
			term.Within(50 * time.Millisecond).ExpectExit(0)
		})
		Expect(message).To(MatchRegexp(`^sh-0: expect "sh -c .*" to end: not within 50ms; last output: "one\\n"$`))
	})

	It("is returned as text, at a terminal as well", func(ctx SpecContext) {
		stage := newStage()
		term := stage.Terminal("sh", "-c", `printf 'one\n\033[1mtwo'; read line`)
		term.Expect("two")
		Expect(term.Output()).To(Equal("one\n\x1b[1mtwo"))
	}, SpecTimeout(time.Minute))
})
