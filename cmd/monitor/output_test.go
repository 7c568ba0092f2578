//go:build darwin || linux

package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// startWith runs a command with a standard output to its end.
func startWith(stdout *os.File, args ...string) outcome {
	GinkgoHelper()
	var errors bytes.Buffer
	cmd := command(args...)
	cmd.Stdout, cmd.Stderr = stdout, &errors
	_ = cmd.Run()
	return outcome{"", errors.String(), cmd.ProcessState.ExitCode()}
}

var _ = Describe("Standard output", func() {
	DescribeTable("that is full is an error of what prints", Label("linux"), func(args ...string) {
		create("build", "make")
		full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
		Expect(err).NotTo(HaveOccurred())
		defer full.Close()
		Expect(startWith(full, args...)).To(Equal(outcome{"", "monitor: write /dev/stdout: no space left on device\n", exitNo}))
	},
		Entry(nil, "list"),
		Entry(nil, "list", "-q"),
		Entry(nil, "list", "--json"),
		Entry(nil, "info", "build"),
		Entry(nil, "tree", "build", "--json"),
		Entry(nil, "help"),
		Entry(nil, "run", "--help"),
		Entry(nil, "version"),
		Entry(nil, "--version"),
		Entry(nil, "completion", "bash"),
		Entry(nil, "completion", "zsh"),
	)

	It("that takes no more is an error, though the code that prints drops it", func() {
		lost := errors.New("lost")
		root := newRoot()
		root.SetArgs([]string{"help"})
		Expect(execute(root, writerFunc(func([]byte) (int, error) { return 0, lost }))).To(MatchError(lost))
	})

	// Go's runtime opens /dev/null for reading and writing where descriptor 1 is closed
	// (runtime/fds_unix.go, checkfds). Python's DEVNULL and the "ignore" of Node look the same.
	It("that is closed is /dev/null to a program, as one that a program has opened so", func() {
		create("build", "make")
		null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
		Expect(err).NotTo(HaveOccurred())
		defer null.Close()
		Expect(startWith(null, "list")).To(Equal(outcome{}))
		Expect(startClosed("list")).To(Equal(outcome{}))
	})

	It("that is closed keeps no command from its run", func() {
		done := GinkgoT().TempDir() + "/done"
		Expect(startClosed("run", "--", "sh", "-c", `echo lost; echo done >"$0"`, done)).To(Equal(outcome{}))
		Expect(os.ReadFile(done)).To(BeEquivalentTo("done\n"))
		Eventually(store().Names).Should(BeEmpty())
	})
})

// startClosed runs a command whose standard output is closed to its end.
func startClosed(args ...string) outcome {
	GinkgoHelper()
	cmd := command(args...)
	stderr, err := os.Create(filepath.Join(GinkgoT().TempDir(), "stderr"))
	Expect(err).NotTo(HaveOccurred())
	defer stderr.Close()
	closed, err := os.StartProcess(cmd.Path, cmd.Args, &os.ProcAttr{Files: []*os.File{os.Stdin, nil, stderr}})
	Expect(err).NotTo(HaveOccurred())
	state, err := closed.Wait()
	Expect(err).NotTo(HaveOccurred())
	said, err := os.ReadFile(stderr.Name())
	Expect(err).NotTo(HaveOccurred())
	return outcome{"", string(said), state.ExitCode()}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }
