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
	"strconv"
	"syscall"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"golang.org/x/sys/unix"
)

// The environment of the part that follows a tree for us.
const (
	limitVariable     = "TRACKER_LIMIT"     // how many, 0 for as many as we may have
	mechanismVariable = "TRACKER_MECHANISM" // by number
	rootVariable      = "TRACKER_ROOT"      // whom to track
)

func variable(name string) int {
	n, err := strconv.Atoi(os.Getenv(name))
	must(err)
	return n
}

// observer is the part that follows a tree, with few descriptors or as another
// user. It says one line for each order: what it was asked for, or the error.
func observer() {
	k, err := ways[variable(mechanismVariable)].open()
	must(err)
	t := newTracker(k, slog.New(slog.DiscardHandler))
	ctx := context.Background()
	if limit := uint64(variable(limitVariable)); limit > 0 {
		must(unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: limit, Max: limit}))
	}
	tree, err := t.Track(ctx, variable(rootVariable))
	say("tracking", err)
	var taken []*os.File
	orders := bufio.NewScanner(os.Stdin)
	for orders.Scan() {
		switch orders.Text() {
		case "take":
			taken, err = takeAll()
			say("taken", err)
		case "free":
			for _, file := range taken {
				must(file.Close())
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
func observe(r *root, mechanism, limit int, sys *syscall.SysProcAttr) (*root, func(order string) string) {
	GinkgoHelper()
	if faulty {
		Skip("errors at random would be taken for others")
	}
	k, err := ways[mechanism].open() // or the spec is skipped
	Expect(err).NotTo(HaveOccurred())
	Expect(k.close()).To(Succeed())
	hears, tells, err := os.Pipe()
	Expect(err).NotTo(HaveOccurred())
	c := played("observer",
		limitVariable+"="+itoa(limit), mechanismVariable+"="+itoa(mechanism), rootVariable+"="+itoa(r.Pid))
	c.in, c.sys = hears, sys
	watching := lead(0, c)
	Expect(hears.Close()).To(Succeed())
	DeferCleanup(tells.Close) // which ends it
	return watching, func(order string) string {
		_, err := fmt.Fprintln(tells, order)
		Expect(err).NotTo(HaveOccurred())
		return watching.line()
	}
}

var _ = Describe("A tracker with few descriptors", func() {
	for i, m := range ways {
		It("says unknown while it has none to read the table with, on "+m.name, func(ctx SpecContext) {
			r := perl(2, `child { report("child $$"); wait_at(1) }; wait_at(0)`)
			r.person()
			watching, tell := observe(r, i, 64, nil)
			Expect(watching.line()).To(Equal("tracking"))
			Expect(tell("check")).To(Equal("alive"))
			Expect(tell("take")).To(Equal("taken"))
			Expect(tell("check")).To(withoutDescriptors)
			r.open(0)
			r.reap()
			Expect(r.oracle.held()).To(BeTrue())
			Expect(tell("check")).To(Or(Equal("alive"), HavePrefix("unknown")))
			Expect(tell("free")).To(Equal("free"))
			Expect(tell("check")).To(Equal("alive"))
			r.open(1)
			Expect(tell("wait")).To(Equal("empty"))
			Expect(r.oracle.held()).To(BeFalse())
		}, patience)

		It("never says empty of more processes than it can watch, on "+m.name, func(ctx SpecContext) {
			r := perl(2, `child { report("child $$"); wait_at(1) } for 1 .. 60; report("root $$"); wait_at(0)`)
			r.crowd(61)
			watching, tell := observe(r, i, 32, nil)
			if watching.line() != "tracking" {
				return // refused, which is no verdict at all
			}
			Expect(tell("check")).To(Or(Equal("alive"), HavePrefix("unknown")))
			r.open(0)
			r.reap()
			Expect(r.oracle.held()).To(BeTrue())
			Expect(tell("check")).To(Or(Equal("alive"), HavePrefix("unknown")))
			r.open(1)
			Expect(tell("wait")).To(Equal("empty"))
			Expect(r.oracle.held()).To(BeFalse())
		}, patience)
	}
})

var _ = Describe("A tracker of another user", func() {
	for i, m := range ways {
		It("follows processes that are not its own, on "+m.name, func(ctx SpecContext) {
			if os.Geteuid() != 0 {
				Skip("only root can become somebody else")
			}
			if !public(self()) {
				Skip("nobody else may run this test binary")
			}
			const nobody = 65534
			r := perl(3, `
				wait_at(2);
				child { child { report("leaf $$"); wait_at(1) }; wait_at(0) };
				wait_at(0)
			`)
			Expect(look(ctx, r.Pid).User).To(BeZero())
			watching, tell := observe(r, i, 0, &syscall.SysProcAttr{
				Credential: &syscall.Credential{Uid: nobody, Gid: nobody}})
			Expect(look(ctx, watching.Pid).User).To(Equal(nobody))
			Expect(watching.line()).To(Equal("tracking"))
			r.open(2)
			r.person()
			Expect(tell("check")).To(Equal("alive"))
			r.open(0)
			r.reap()
			Expect(r.oracle.held()).To(BeTrue())
			Expect(tell("check")).To(Equal("alive"))
			r.open(1)
			Expect(tell("wait")).To(Equal("empty"))
			Expect(r.oracle.held()).To(BeFalse())
		}, patience)
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
