//go:build darwin || linux

package specs_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/harness"
)

var _ = Describe("A program of a stage", func() {
	// script returns a program that says what it is.
	script := func(name, text string) string {
		GinkgoHelper()
		path := filepath.Join(GinkgoT().TempDir(), name)
		Expect(os.WriteFile(path, []byte("#!/bin/sh\necho "+text+"\n"), 0o755)).To(Succeed())
		return path
	}
	// unemulated skips a spec that runs a script as a program.
	unemulated := func() {
		if os.Getenv("HARNESS_EXEC") != "" {
			Skip("the runner of programs runs no scripts")
		}
	}
	// refused returns the message of a stage that cannot have the programs.
	refused := func(names ...string) string {
		GinkgoHelper()
		t := &quietT{}
		var options []harness.Option
		for _, name := range names {
			options = append(options, harness.Program(name))
		}
		return t.run(func() { harness.New(t, options...) })
	}

	It("is in PATH by its name, for jobs and for what they start", Label("native"), func() {
		unemulated()
		stage := harness.New(GinkgoT(), harness.Program(script("tool-of-a-stage", "hello")))
		Expect(stage.Run("tool-of-a-stage")).To(Equal(harness.Result{Stdout: "hello\n"}))
		Expect(stage.Run("sh", "-c", "tool-of-a-stage")).To(Equal(harness.Result{Stdout: "hello\n"}))
	})

	It("is the same for all stages, and another one of its name is refused", func() {
		first := script("tool-of-two", "one")
		harness.New(GinkgoT(), harness.Program(first))
		harness.New(GinkgoT(), harness.Program(first), harness.Program(first))
		other := script("tool-of-two", "two")
		Expect(refused(other)).To(Equal("harness: set up the stage: program " + other + ": " + first + " has the same name"))
	})

	It("is the one in the directory that the environment names, if that has it", Label("native"), func() {
		unemulated()
		dir := filepath.Dir(script("prebuilt", "from the directory"))
		GinkgoT().Setenv("HARNESS_PROGRAMS", dir)
		Expect(harness.Build("example.com/nowhere/prebuilt")).To(Equal(filepath.Join(dir, "prebuilt")))
		stage := harness.New(GinkgoT(), harness.Program("example.com/nowhere/prebuilt"))
		Expect(stage.Run("prebuilt").Stdout).To(Equal("from the directory\n"))
	})

	It("that cannot be had is named, with the reason", func() {
		Expect(refused("./no/such/package")).To(MatchRegexp(`^harness: set up the stage: program \./no/such/package: .+`))
		plain := filepath.Join(GinkgoT().TempDir(), "plain")
		Expect(os.WriteFile(plain, nil, 0o644)).To(Succeed())
		Expect(refused(plain)).To(And(HavePrefix("harness: set up the stage: program "+plain), ContainSubstring("permission denied")))
	})

	It("is a main package", Label("linux", "sources"), func() {
		if _, err := exec.LookPath("go"); err != nil {
			Skip("there is no go command")
		}
		if _, err := os.Stat("testdata/outsider"); err != nil {
			Skip("the sources are elsewhere")
		}
		Expect(refused("golang.org/x/sys/unix")).To(Equal("harness: set up the stage: program golang.org/x/sys/unix: it is not a main package"))
	})

	It("is not taken from what is no directory, whose path is shown", func() {
		here, err := os.Getwd()
		Expect(err).NotTo(HaveOccurred())
		GinkgoT().Setenv("HARNESS_PROGRAMS", "no/such")
		Expect(refused("./no/such/package")).To(HaveSuffix(": HARNESS_PROGRAMS is not a directory: " + filepath.Join(here, "no/such")))
	})

	It("is built once", func(ctx SpecContext) {
		one, err := harness.Build("github.com/gemini-monitor/gemini/harness/puppet")
		Expect(err).NotTo(HaveOccurred())
		before, err := os.Stat(one)
		Expect(err).NotTo(HaveOccurred())
		Expect(harness.Build("github.com/gemini-monitor/gemini/harness/puppet")).To(Equal(one))
		Expect(os.Stat(one)).To(HaveField("ModTime()", before.ModTime()))
	}, SpecTimeout(2*time.Minute))
})
