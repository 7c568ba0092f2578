//go:build darwin || linux

package main

import (
	"bytes"
	"os"
	"os/exec"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// An outcome is what a user sees of a call.
type outcome struct {
	Stdout string
	Stderr string // the line, without "monitor: "
	Code   int
}

// call calls the command in this process. A run that succeeds replaces the process,
// so it is done by start instead. A run that must fail names "false": if it succeeds,
// the specs fail.
func call(args ...string) outcome {
	GinkgoHelper()
	var out, stray bytes.Buffer
	root := newRoot()
	root.SetArgs(append([]string{}, args...)) // cobra takes nil for "those of the process"
	root.SetOut(&out)
	root.SetErr(&stray)
	err := root.Execute()
	Expect(stray.String()).To(BeEmpty(), "cobra wrote something itself")
	if err == nil {
		return outcome{Stdout: out.String()}
	}
	return outcome{out.String(), oneLine(err), exitCode(err)}
}

// command returns the command as a process of its own.
func command(args ...string) *exec.Cmd {
	GinkgoHelper()
	self, err := os.Executable()
	Expect(err).NotTo(HaveOccurred())
	return exec.Command(self, append([]string{asMonitor}, args...)...)
}

// start runs a command in a process of its own to its end.
func start(args ...string) outcome {
	GinkgoHelper()
	var out, errors bytes.Buffer
	cmd := command(args...)
	cmd.Stdout, cmd.Stderr = &out, &errors
	err := cmd.Run()
	if _, exited := err.(*exec.ExitError); err != nil && !exited {
		Expect(err).NotTo(HaveOccurred())
	}
	return outcome{out.String(), errors.String(), cmd.ProcessState.ExitCode()}
}

// fails matches a call that ends with a code and one line. Both have to be given:
// an empty pattern matches every line, and 0 is no failure. The values are for the pattern.
func fails(code int, line string, values ...any) OmegaMatcher {
	GinkgoHelper()
	Expect(code).NotTo(BeZero())
	Expect(line).NotTo(BeEmpty())
	return And(
		HaveField("Code", code),
		HaveField("Stdout", BeEmpty()),
		HaveField("Stderr", And(Not(BeEmpty()), MatchRegexp(line, values...), Not(ContainSubstring("\n")))),
	)
}
