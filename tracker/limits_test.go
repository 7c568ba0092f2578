//go:build darwin || linux

package tracker

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"syscall"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"golang.org/x/sys/unix"

	"github.com/gemini-monitor/gemini/internal/core"
	"github.com/gemini-monitor/gemini/internal/kernel"
	"github.com/gemini-monitor/gemini/internal/testproc"
)

// The environment of the part that follows a tree for us.
const (
	limitVariable     = "TRACKER_LIMIT"     // how many, 0 for as many as we may have
	mechanismVariable = "TRACKER_MECHANISM" // by number
)

// observer is the part that follows a tree, with few descriptors or as another
// user. It says one line for each order: what it was asked for, or the error.
func observer() {
	k, err := kernel.Ways()[testproc.Variable(mechanismVariable)].Open()
	testproc.Must(err)
	t := newTracker(k, slog.New(slog.DiscardHandler))
	ctx := context.Background()
	if limit := uint64(testproc.Variable(limitVariable)); limit > 0 {
		testproc.Must(unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: limit, Max: limit}))
	}
	tree, err := t.Track(ctx, testproc.Variable(testproc.RootVariable))
	say("tracking", err)
	if err == nil { // the root has made nothing before
		t.follower.Do(func(*core.Core) { tree.origin.late = false })
	}
	var taken []*os.File
	orders := bufio.NewScanner(os.Stdin)
	for orders.Scan() {
		switch orders.Text() {
		case "take":
			// Between two steps: a read under way would give one back.
			testproc.Must(t.call(func() { taken, err = takeAll() }))
			say("taken", err)
		case "free":
			for _, file := range taken {
				testproc.Must(file.Close())
			}
			say("free", nil)
		case "check":
			v, err := tree.Check(ctx)
			say(v.String(), err)
		case "wait":
			say("empty", tree.Wait(ctx))
		}
	}
}

func say(text string, err error) {
	if err != nil {
		text = "unknown: " + err.Error()
	}
	fmt.Println(text)
}

// takeAll opens files until no more can be.
func takeAll() (files []*os.File, err error) {
	for {
		file, err := os.Open(os.DevNull)
		if errors.Is(err, syscall.EMFILE) {
			return files, nil
		}
		if err != nil {
			return files, err
		}
		files = append(files, file)
	}
}

// observe has a process of its own track a tree, and returns it and what tells
// it to do something.
func observe(r *testproc.Root, mechanism, limit int, sys *syscall.SysProcAttr) (*testproc.Root, func(order string) string) {
	GinkgoHelper()
	if testproc.Faulty {
		Skip("errors at random would be taken for others")
	}
	k := testproc.Opened(kernel.Ways()[mechanism].Open())
	Expect(k.Close()).To(Succeed())
	hears, tells, err := os.Pipe()
	Expect(err).NotTo(HaveOccurred())
	c := testproc.Played("observer",
		limitVariable+"="+testproc.Itoa(limit), mechanismVariable+"="+testproc.Itoa(mechanism), testproc.RootVariable+"="+testproc.Itoa(r.Pid))
	c.In, c.Sys = hears, sys
	watching := testproc.Lead(0, c)
	Expect(hears.Close()).To(Succeed())
	DeferCleanup(tells.Close) // which ends it
	return watching, func(order string) string {
		_, err := fmt.Fprintln(tells, order)
		Expect(err).NotTo(HaveOccurred())
		return watching.Line()
	}
}

var _ = Describe("A tracker with few descriptors", func() {
	for i, m := range kernel.Ways() {
		It("says unknown while it has none to read the table with, on "+m.Name, Label(m.Needs...), func(ctx SpecContext) {
			r := testproc.Perl(2, `child { report("child $$"); wait_at(1) }; wait_at(0)`)
			r.Person()
			watching, tell := observe(r, i, 64, nil)
			Expect(watching.Line()).To(Equal("tracking"))
			Expect(tell("check")).To(Equal("alive"))
			Expect(tell("take")).To(Equal("taken"))
			Expect(tell("check")).To(withoutDescriptors)
			r.Open(0)
			r.Reap()
			Expect(r.Oracle.Held()).To(BeTrue())
			Expect(tell("check")).To(Or(Equal("alive"), HavePrefix("unknown")))
			Expect(tell("free")).To(Equal("free"))
			Expect(tell("check")).To(Equal("alive"))
			r.Open(1)
			Expect(tell("wait")).To(Equal("empty"))
			Expect(r.Oracle.Held()).To(BeFalse())
		}, testproc.Patience)

		It("never says empty of more processes than it can watch, on "+m.Name, Label(m.Needs...), func(ctx SpecContext) {
			r := testproc.Perl(2, `child { report("child $$"); wait_at(1) } for 1 .. 60; report("root $$"); wait_at(0)`)
			r.Crowd(61)
			watching, tell := observe(r, i, 32, nil)
			Expect(watching.Line()).To(Equal("tracking"))
			Expect(tell("check")).To(Equal("alive"), "descriptors are left to read the table with")
			r.Open(0)
			r.Reap()
			Expect(r.Oracle.Held()).To(BeTrue())
			Expect(tell("check")).To(Equal("alive"), "descriptors are left to read the table with")
			r.Open(1)
			Expect(tell("wait")).To(Equal("empty"))
			Expect(r.Oracle.Held()).To(BeFalse())
		}, testproc.Patience)
	}
})

var _ = Describe("A tracker of another user", func() {
	for i, m := range kernel.Ways() {
		It("follows processes that are not its own, on "+m.Name, Label(m.Needs...), Label("root"), func(ctx SpecContext) {
			if os.Geteuid() != 0 {
				Skip("only root can become somebody else")
			}
			if !public(testproc.Self()) {
				Skip("nobody else may run this test binary")
			}
			const nobody = 65534
			r := testproc.Perl(3, `
				wait_at(2);
				child { child { report("leaf $$"); wait_at(1) }; wait_at(0) };
				wait_at(0)
			`)
			Expect(testproc.Look(ctx, r.Pid).User).To(BeZero())
			watching, tell := observe(r, i, 0, &syscall.SysProcAttr{
				Credential: &syscall.Credential{Uid: nobody, Gid: nobody}})
			Expect(watching.Line()).To(Equal("tracking"))
			// While an exec is under way, /proc/PID may still be root's.
			Expect(testproc.Look(ctx, watching.Pid).User).To(Equal(nobody))
			r.Open(2)
			r.Person()
			Expect(tell("check")).To(Equal("alive"))
			r.Open(0)
			r.Reap()
			Expect(r.Oracle.Held()).To(BeTrue())
			Expect(tell("check")).To(Equal("alive"))
			r.Open(1)
			Expect(tell("wait")).To(Equal("empty"))
			Expect(r.Oracle.Held()).To(BeFalse())
		}, testproc.Patience)
	}
})

// public reports whether everybody may run a program.
func public(path string) bool {
	for ; ; path = filepath.Dir(path) {
		info, err := os.Stat(path)
		Expect(err).NotTo(HaveOccurred())
		if info.Mode().Perm()&1 == 0 {
			return false
		}
		if path == filepath.Dir(path) {
			return true
		}
	}
}
