//go:build darwin || linux

package specs_test

import (
	"os"
	"path/filepath"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/harness"
)

var _ = Describe("A command", func() {
	var stage *harness.Stage

	BeforeEach(func() { stage = newStage() })

	// output runs a command as a job and returns its output.
	output := func(c *harness.Command) string {
		GinkgoHelper()
		job := c.Start()
		job.ExpectExit(0)
		return job.Output()
	}

	It("begins in the directory of the stage, or in another one", func(ctx SpecContext) {
		Expect(output(stage.Command("pwd"))).To(Equal(stage.Path() + "\n"))
		Expect(output(stage.Command("pwd").In("/"))).To(Equal("/\n"))
		here, err := filepath.EvalSymlinks(".")
		Expect(err).NotTo(HaveOccurred())
		here, err = filepath.Abs(here)
		Expect(err).NotTo(HaveOccurred())
		Expect(output(stage.Command("pwd").In("."))).To(Equal(here + "\n"))
		term := stage.Command("pwd").In("/").Terminal()
		Expect(term.Expect("\n").Before).To(Equal("/"))
	}, SpecTimeout(time.Minute))

	It("names a directory in which it cannot begin, not the program", func() {
		message, _ := failing(func(stage *harness.Stage) { stage.Command("pwd").In(stage.Path("nowhere")).Start() })
		Expect(message).To(MatchRegexp(`^start \["pwd"\] in /.*/stage/nowhere: no such file or directory$`))
		message, _ = failing(func(stage *harness.Stage) { stage.Command("pwd").In("/dev/null").Terminal() })
		Expect(message).To(Equal(`start ["pwd"] in /dev/null: not a directory`))
	})

	It("has the last value of a variable only, and that of the command before that of the stage", func(ctx SpecContext) {
		stage.Setenv("COLOUR", "red")
		stage.Setenv("COLOUR", "green")
		c := stage.Command("env").Env("SHAPE", "round").Env("COLOUR", "blue").Env("SHAPE", "flat").Env("NOTHING", "")
		lines := strings.Split(output(c), "\n")
		Expect(lines).To(ContainElements("COLOUR=blue", "SHAPE=flat", "NOTHING="))
		Expect(lines).NotTo(ContainElement(BeElementOf("COLOUR=red", "COLOUR=green", "SHAPE=round")))
		Expect(output(stage.Command("sh", "-c", "echo $COLOUR $SHAPE"))).To(Equal("green\n"), "the next command")
	}, SpecTimeout(time.Minute))

	It("reads its input from a text, nothing, or a pipe", func(ctx SpecContext) {
		Expect(output(stage.Command("sort", "-n").Input("10\n9\n"))).To(Equal("9\n10\n"))
		Expect(output(stage.Command("cat").Input(""))).To(BeEmpty())
		Expect(output(stage.Command("cat"))).To(BeEmpty())
		job := stage.Command("sh", "-c", `while read line; do echo "<$line>"; done`).Pipe().Start()
		job.Write("one\n")
		job.Expect("<one>\n")
		job.Write("two\n")
		job.Expect("<two>\n")
		job.CloseInput()
		job.CloseInput() // again
		job.ExpectExit(0)
	}, SpecTimeout(time.Minute))

	It("writes output and errors to one stream in order, or apart", func(ctx SpecContext) {
		const both = "echo one; echo two >&2; echo three"
		job := stage.Start("sh", "-c", both)
		job.ExpectExit(0)
		Expect([]string{job.Output(), job.Stdout(), job.Stderr()}).To(HaveEach("one\ntwo\nthree\n"))
		job = stage.Command("sh", "-c", both).Apart().Start()
		job.ExpectExit(0)
		Expect([]string{job.Output(), job.Stdout(), job.Stderr()}).To(Equal([]string{"one\nthree\n", "one\nthree\n", "two\n"}))
		Expect(stage.Run("sh", "-c", both)).To(Equal(harness.Result{Stdout: "one\nthree\n", Stderr: "two\n"}))
	}, SpecTimeout(time.Minute))

	It("is found by a relative path, whatever directory it begins in", func(ctx SpecContext) {
		here, err := os.Getwd()
		Expect(err).NotTo(HaveOccurred())
		relative, err := filepath.Rel(here, executable(stage.Path("program"), "#!/bin/sh\npwd\n"))
		Expect(err).NotTo(HaveOccurred())
		Expect(output(stage.Command(relative))).To(Equal(stage.Path() + "\n"))
		Expect(output(stage.Command(relative).In("/"))).To(Equal("/\n"))
	}, SpecTimeout(time.Minute))

	It("is found by its name in the PATH of the stage, not in that of the test", func(ctx SpecContext) {
		Expect(os.Mkdir(stage.Path("bin"), 0o755)).To(Succeed())
		executable(stage.Path("bin", "ls"), "#!/bin/sh\necho mine\n")
		stage.Setenv("PATH", stage.Path("bin")+":"+os.Getenv("PATH"))
		Expect(output(stage.Command("ls"))).To(Equal("mine\n"))
		Expect(stage.Run("ls").Stdout).To(Equal("mine\n"))
	}, SpecTimeout(time.Minute))

	It("does not find a program of the current directory by its name", func() {
		here, err := os.Getwd()
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(os.Chdir, here)
		dir := GinkgoT().TempDir()
		executable(filepath.Join(dir, "lurking"), "#!/bin/sh\n")
		Expect(os.Chdir(dir)).To(Succeed())
		for _, path := range []string{"", ".", ":" + os.Getenv("PATH")} {
			stage.Setenv("PATH", path)
			_, err = stage.TryRun("lurking")
			Expect(err).To(MatchError(ContainSubstring("executable file not found")), path)
		}
	})

	DescribeTable("that cannot start fails the test with one clear line:", func(start func(stage *harness.Stage), line string) {
		message, _ := failing(start)
		Expect(message).To(MatchRegexp("^" + line + "$"))
	},
		Entry("a missing program", func(s *harness.Stage) { s.Start("no-such-program", "x") },
			`start \["no-such-program" "x"\]: exec: "no-such-program": executable file not found in \$PATH`),
		Entry("a missing program at a terminal", func(s *harness.Stage) { s.Terminal("no-such-program") },
			`start \["no-such-program"\]: exec: "no-such-program": executable file not found in \$PATH`),
		Entry("a missing program that is run", func(s *harness.Stage) { s.Run("no-such-program") },
			`run: start \["no-such-program"\]: exec: "no-such-program": executable file not found in \$PATH`),
		Entry("a missing path", func(s *harness.Stage) { s.Start("./no/such") }, `start \["./no/such"\]: exec: "./no/such": stat ./no/such: no such file or directory`),
		Entry("a file that is no program", func(s *harness.Stage) { s.Start("./suite_test.go") }, `start \["./suite_test.go"\]: .*(permission denied|no such file or directory)`),
		Entry("no words", func(s *harness.Stage) { s.Start() }, "harness: a command has at least one word"),
		Entry("no words that are run", func(s *harness.Stage) { s.Run() }, "harness: a command has at least one word"),
		Entry("an empty name", func(s *harness.Stage) { s.Start("") }, `start \[""\]: exec: "": executable file not found in \$PATH`),
		Entry("a missing directory", func(s *harness.Stage) { s.Command("true").In("/no/such").Start() }, `start \["true"\] in /no/such: no such file or directory`),
		Entry("a size that no terminal has", func(s *harness.Stage) { s.Command("true").Size(0, 80).Terminal() }, `start \["true"\]: open a terminal: .*cannot have 0 rows of 80 columns: each is .*`),
		Entry("input without a pipe", func(s *harness.Stage) { s.Start("cat").Write("x") }, "job-0: write: the command was started without Pipe"),
		Entry("the end of input without a pipe", func(s *harness.Stage) { s.Start("cat").CloseInput() }, "job-0: close the input: the command was started without Pipe"),
		Entry("input for a program that reads none", func(s *harness.Stage) {
			job := s.Command("true").Pipe().Start()
			job.ExpectExit(0)
			job.Write("x")
		}, `job-0: write: "true" has ended, exit 0`),
		Entry("input for a program that does not read in time", func(s *harness.Stage) {
			s.Command("sleep", "88").Pipe().Start().Within(100 * time.Millisecond).Write(strings.Repeat("x", 1<<20))
		}, "job-0: write: .*timeout"),
	)
})
