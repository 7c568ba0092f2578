//go:build darwin || linux

package monitor_test

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"slices"
	"syscall"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gleak"

	"github.com/gemini-monitor/gemini/internal/descriptor"
	"github.com/gemini-monitor/gemini/monitor"
	"github.com/gemini-monitor/gemini/tracker/process"
)

// generous is how long a spec waits for what must come. It is used up only by a
// failure.
const generous = 20 * time.Second

// Go's poller opens descriptors of its own with the first pipe, and keeps them.
var _ = BeforeSuite(func() {
	r, w, err := os.Pipe()
	Expect(err).NotTo(HaveOccurred())
	Expect(errors.Join(r.Close(), w.Close())).To(Succeed())
})

// No spec is in a runtime itself, and none leaves a goroutine or a descriptor.
// This is registered first, so the check runs last.
var _ = BeforeEach(func() {
	GinkgoT().Setenv(monitor.EnvRuntime, "")
	goroutines := gleak.Goroutines()
	before, err := descriptors()
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func() {
		Eventually(gleak.Goroutines).ShouldNot(gleak.HaveLeaked(goroutines))
		Eventually(descriptors).Should(HaveLen(len(before)), "descriptors before: %v", before)
	})
})

// descriptors lists the open ones, without pipes where Ginkgo makes its own.
func descriptors() ([]string, error) {
	suite, _ := GinkgoConfiguration()
	return descriptor.Snapshot(suite.ParallelTotal == 1)
}

// A gate keeps processes from ending until it is opened, and knows whether any
// of them lives: they read from one pipe and share the writing end of another.
type gate struct {
	in, latch   *os.File
	alive, sign *os.File
}

// newGate returns a closed gate. It is opened at the end of the spec, which waits
// until every process at the gate has ended.
func newGate() *gate {
	GinkgoHelper()
	g := &gate{}
	var err error
	g.in, g.latch, err = os.Pipe()
	Expect(err).NotTo(HaveOccurred())
	g.alive, g.sign, err = os.Pipe()
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func() {
		g.open()
		g.in.Close()
		g.sign.Close()
		defer g.alive.Close()
		Expect(g.alive.SetReadDeadline(time.Now().Add(generous))).To(Succeed())
		_, err := g.alive.Read(make([]byte, 1))
		Expect(err).To(MatchError(io.EOF), "a process that waited at a gate still lives")
	})
	return g
}

// open ends the input of every process at the gate.
func (g *gate) open() { g.latch.Close() }

// through is what a process at the gates needs: two descriptors for each gate,
// from 3 on, the first of which ends when the gate is opened.
func through(gates ...*gate) (files []*os.File) {
	for _, g := range gates {
		files = append(files, g.in, g.sign)
	}
	return files
}

// A child is a shell that a spec started.
type child struct {
	process.Identity
	cmd *exec.Cmd
}

// start starts a shell with files from descriptor 3 on.
func start(script string, files ...*os.File) *child {
	GinkgoHelper()
	return startAs(nil, script, files...)
}

func startAs(attributes *syscall.SysProcAttr, script string, files ...*os.File) *child {
	GinkgoHelper()
	cmd := exec.Command("/bin/sh", "-c", script)
	cmd.ExtraFiles = slices.Clone(files)
	cmd.SysProcAttr = attributes
	Expect(cmd.Start()).To(Succeed())
	DeferCleanup(func() {
		_ = cmd.Process.Kill() // if it is still there
		_ = cmd.Wait()
	})
	row, err := process.Lookup(cmd.Process.Pid)
	Expect(err).NotTo(HaveOccurred())
	return &child{row.Identity, cmd}
}

// wait reaps a child that ends.
func (c *child) wait() { _ = c.cmd.Wait() }

// kill ends and reaps a child.
func (c *child) kill() {
	GinkgoHelper()
	Expect(c.cmd.Process.Kill()).To(Succeed())
	c.wait()
}

// dead returns the identity of a process that has been reaped.
func dead() process.Identity {
	GinkgoHelper()
	c := start("exit 0")
	c.wait()
	return c.Identity
}

// self returns the identity of the process that runs the specs.
func self() process.Identity {
	GinkgoHelper()
	row, err := process.Lookup(os.Getpid())
	Expect(err).NotTo(HaveOccurred())
	return row.Identity
}

// newStore returns an empty store.
func newStore() *monitor.Store {
	GinkgoHelper()
	dir, err := os.MkdirTemp("", "store-")
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func() { // a monitor writes the history when the runtime has gone
		Eventually(os.RemoveAll).WithArguments(dir).Should(Succeed())
	})
	s, err := monitor.Open(dir)
	Expect(err).NotTo(HaveOccurred())
	return s
}

// mine is a runtime of the process that runs the specs.
func mine(name string, command []string) monitor.Creation {
	return monitor.Creation{Name: name, Command: command}
}

// own makes a runtime of another process.
func own(s *monitor.Store, name string, owner process.Identity) *monitor.Runtime {
	GinkgoHelper()
	r, err := s.Create(monitor.Creation{Name: name, Owner: owner, Command: []string{"sh"}})
	Expect(err).NotTo(HaveOccurred())
	return r
}

// change edits the record of a runtime.
func change(r *monitor.Runtime, edit func(*monitor.Record)) {
	GinkgoHelper()
	record, err := r.Record()
	Expect(err).NotTo(HaveOccurred())
	edit(&record)
	Expect(record.Write(r.Dir())).To(Succeed())
}

// nothingLeft expects a store without any trace of a runtime.
func nothingLeft(s *monitor.Store) {
	GinkgoHelper()
	Expect(contents(s.Runtimes())).To(BeEmpty(), "runtimes and what was being made")
	Expect(contents(s.Trash())).To(BeEmpty(), "trash")
}
