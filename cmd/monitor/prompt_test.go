//go:build darwin || linux

package main

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

var _ = Describe("The hint of a prompt", func() {
	noVariable := func(string) string { return "" }

	DescribeTable("is for the shell that is started", func(path string, expected hint) {
		Expect(hintFor(path, "build-1", noVariable)).To(Equal(expected))
	},
		Entry("bash", "/opt/homebrew/bin/bash", hint{environment: map[string]string{"PROMPT_COMMAND": bashHint}}),
		Entry("zsh", "/bin/zsh", hint{environment: map[string]string{"RPS1": "(build-1)"}}),
		Entry("fish", "fish", hint{arguments: []string{"--init-command", fishHint}}),
		Entry("sh", "/bin/sh", hint{environment: map[string]string{"PS1": "(build-1) " + promptSign()}}),
	)

	It("keeps what the environment has for the prompt", func() {
		variable := func(name string) string { return "old " + name }
		Expect(hintFor("bash", "x", variable)).To(Equal(hint{environment: map[string]string{"PROMPT_COMMAND": "old PROMPT_COMMAND\n" + bashHint}}))
		Expect(hintFor("zsh", "x", variable)).To(Equal(hint{environment: map[string]string{"RPS1": "(x) old RPS1"}}))
	})

	It("is refused for a shell that is not known", func() {
		_, err := hintFor("/usr/bin/tcsh", "x", noVariable)
		Expect(err).To(MatchError(`--prompt knows bash, zsh, fish and sh, not "tcsh"`))
	})

	It("is shown by bash before each prompt, once", func() {
		Expect(start("shell", "--name", "build", "--", "-c", `PS1='$ '; eval "$0"; eval "$0"; printf %s "$PS1"`, bashHint)).
			To(Equal(outcome{Stdout: "(build) $ "}))
		Eventually(store().Names).Should(BeEmpty())
	})
})

var _ = Describe("The command shell", func() {
	It("passes arguments to the shell", func() {
		Expect(start("shell", "--", "-c", `echo "<$*>"; exit 7`, "sh", "a b", "--name")).To(Equal(outcome{Stdout: "<a b --name>\n", Code: 7}))
		Eventually(store().Names).Should(BeEmpty())
	})

	It("has a name in the environment and in the prompt, also without one of the user's", func() {
		got := start("shell", "--prompt", "--", "-c", `printf '%s\n%s\n' "$MONITOR_RUNTIME" "$PS1"`)
		Expect(got.Stdout).To(MatchRegexp(`^(sh-[0-9a-f]{8})\n\(sh-[0-9a-f]{8}\) [$#] \n$`))
		Expect(got).To(And(HaveField("Stderr", ""), HaveField("Code", 0)))
		Eventually(store().Names).Should(BeEmpty())
	})
})
