//go:build darwin || linux

package main

import (
	"os"
	"path/filepath"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

var _ = Describe("Finding a command", func() {
	var bin string

	BeforeEach(func() {
		bin = GinkgoT().TempDir()
		GinkgoT().Setenv("PATH", bin)
		Expect(os.WriteFile(filepath.Join(bin, "tool"), nil, 0o755)).To(Succeed())
		Expect(os.WriteFile(filepath.Join(bin, "notes"), nil, 0o644)).To(Succeed())
		Expect(os.Mkdir(filepath.Join(bin, "folder"), 0o755)).To(Succeed())
		GinkgoT().Chdir(bin)
	})

	It("looks in PATH for a plain name, and else nowhere", func() {
		Expect(findCommand("tool")).To(Equal(filepath.Join(bin, "tool")))
		GinkgoT().Setenv("PATH", "/nowhere")
		_, err := findCommand("tool")
		Expect(err).To(MatchError(errNotFound))
	})

	It("takes a path as it is", func() {
		Expect(findCommand(filepath.Join(bin, "tool"))).To(Equal(filepath.Join(bin, "tool")))
		Expect(findCommand("./tool")).To(Equal("./tool"))
	})

	DescribeTable("fails with the reason", func(name string, is error, message string) {
		_, err := findCommand(name)
		Expect(err).To(MatchError(is))
		Expect(err).To(MatchError(message))
	},
		Entry("with a name that is nowhere", "nothing", errNotFound, "nothing: command not found"),
		Entry("with a path to nothing", "./nothing", errNotFound, "./nothing: command not found"),
		Entry("with an empty name", "", errNotFound, ": command not found"),
		Entry("with a file that is not executable", "./notes", errNotExecutable, "./notes: cannot be executed: permission denied"),
		Entry("with a directory", "./folder", errNotExecutable, "./folder: cannot be executed: is a directory"),
		Entry("with a path through a file", "./tool/x", errNotExecutable, "./tool/x: cannot be executed: not a directory"),
	)
})
