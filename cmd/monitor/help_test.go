//go:build darwin || linux

package main

import (
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

var _ = Describe("The command", func() {
	It("prints its version by a command too", func() {
		Expect(call("version")).To(Equal(call("--version")))
		Expect(call("version").Stdout).To(HavePrefix("monitor version "))
	})

	It("explains a command by help as by --help, and itself by help alone", func() {
		for _, cmd := range newRoot().Commands() {
			Expect(call("help", cmd.Name())).To(Equal(call(cmd.Name(), "--help")), cmd.Name())
		}
		Expect(call("help")).To(Equal(call("--help")))
		Expect(call("help").Stdout).To(ContainSubstring("\n  help "), "help is a command")
	})

	It("describes each of its commands in one line of the list", func() {
		listed := call("help").Stdout
		for _, cmd := range newRoot().Commands() {
			if !cmd.Hidden {
				Expect(listed).To(MatchRegexp(`(?m)^  %s +\S.*$`, cmd.Name()))
			}
		}
	})

	It("has no colours, whatever the environment asks for", func() {
		GinkgoT().Setenv("CLICOLOR_FORCE", "1")
		GinkgoT().Setenv("TERM", "xterm-256color")
		create("build", "make")
		for _, args := range [][]string{{"list"}, {"info", "build"}, {"tree", "build"}, {"help"}} {
			Expect(strings.Contains(call(args...).Stdout, "\x1b")).To(BeFalse(), "%q", args)
		}
	})
})
