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

	It("looks at all of PATH, past what cannot be executed, and not only up to it", func() {
		first, second := filepath.Join(bin, "first"), filepath.Join(bin, "second")
		for _, dir := range []string{first, second} {
			Expect(os.Mkdir(dir, 0o755)).To(Succeed())
			Expect(os.WriteFile(filepath.Join(dir, "both"), nil, 0o644)).To(Succeed())
		}
		GinkgoT().Setenv("PATH", first+":/nowhere:/etc/passwd:"+second+"::"+bin)
		_, err := findCommand("both")
		Expect(err).To(MatchError("both: cannot be executed: permission denied"))
		Expect(err).To(MatchError(errNotExecutable))
		Expect(os.Chmod(filepath.Join(second, "both"), 0o755)).To(Succeed())
		Expect(findCommand("both")).To(Equal(filepath.Join(second, "both")))
	})

	It("takes an empty part of PATH for the working directory, and no PATH for that of the system", func() {
		GinkgoT().Setenv("PATH", "/nowhere:")
		Expect(findCommand("tool")).To(Equal("./tool"))
		Expect(os.Unsetenv("PATH")).To(Succeed())
		Expect(findCommand("sh")).To(Equal("/bin/sh"))
		_, err := findCommand("tool")
		Expect(err).To(MatchError(errNotFound))
	})

	It("may not go through a directory, which is not the same as finding nothing", Label("no-root"), func() {
		if os.Geteuid() == 0 {
			Skip("root may go through every directory")
		}
		closed := filepath.Join(bin, "closed")
		Expect(os.Mkdir(closed, 0o755)).To(Succeed())
		Expect(os.WriteFile(filepath.Join(closed, "tool"), nil, 0o755)).To(Succeed())
		Expect(os.Chmod(closed, 0)).To(Succeed())
		DeferCleanup(os.Chmod, closed, os.FileMode(0o755))
		for _, name := range []string{"tool", filepath.Join(closed, "tool")} {
			GinkgoT().Setenv("PATH", closed)
			_, err := findCommand(name)
			Expect(err).To(MatchError(name + ": cannot be executed: permission denied"))
		}
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
		Entry("with a name in PATH that is not executable", "notes", errNotExecutable, "notes: cannot be executed: permission denied"),
		Entry("with a name in PATH that is a directory", "folder", errNotExecutable, "folder: cannot be executed: is a directory"),
		Entry("with a directory", "./folder", errNotExecutable, "./folder: cannot be executed: is a directory"),
		Entry("with a path through a file", "./tool/x", errNotExecutable, "./tool/x: cannot be executed: not a directory"),
	)
})
