//go:build darwin || linux

package main

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strconv"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// brokenPipe fails each write after the first few bytes.
type brokenPipe struct {
	room   int
	writes int
}

var errBroken = errors.New("no room")

func (p *brokenPipe) Write(text []byte) (int, error) {
	p.writes++
	n := min(len(text), p.room)
	if p.room -= n; n < len(text) {
		return n, errBroken
	}
	return n, nil
}

var _ = Describe("Output that cannot be written", func() {
	It("is an error of each command that prints", func() {
		r := create("build", "make")
		join(r, self())
		for _, args := range [][]string{
			{}, {"help"}, {"help", "list"}, {"list", "--help"}, {"--version"}, {"completion", "bash"},
			{"list"}, {"list", "-q"}, {"list", "--json"}, {"info", "build"}, {"info", "--json", "build"},
			{"tree", "build"}, {"tree", "-q", "build"}, {"tree", "--json", "build"},
			{"why", "build"}, {"why", "--json", "build"}, {"which", strconv.Itoa(os.Getpid())},
		} {
			for _, room := range []int{0, 3} {
				root := newRoot()
				root.SetArgs(args)
				root.SetErr(io.Discard)
				pipe := &brokenPipe{room: room}
				err := execute(root, pipe)
				Expect(err).To(MatchError(errBroken), "%q", args)
				Expect(exitCode(err)).To(Equal(1), "%q", args)
			}
		}
	})

	It("is not followed by more", func() {
		pipe := &brokenPipe{room: 1}
		kept := &output{Writer: pipe}
		Expect(kept.Write([]byte("a"))).To(Equal(1))
		for range 3 {
			n, err := kept.Write([]byte("b"))
			Expect(n).To(BeZero())
			Expect(err).To(MatchError(errBroken))
		}
		Expect(pipe.writes).To(Equal(2))
	})
})

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
