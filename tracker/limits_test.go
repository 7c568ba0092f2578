//go:build darwin || linux

package tracker

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"syscall"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"golang.org/x/sys/unix"
)

// The environment of the part that has few descriptors.
const (
	limitVariable     = "TRACKER_LIMIT"     // how many
	mechanismVariable = "TRACKER_MECHANISM" // by number
	rootVariable      = "TRACKER_ROOT"      // whom to track
)

func variable(name string) int {
	n, err := strconv.Atoi(os.Getenv(name))
	must(err)
	return n
}

// crowded is the part that follows a tree with few descriptors. It says one
// line for each order: what it was asked for, or the error.
func crowded() {
	k, err := mechanisms[variable(mechanismVariable)].open()
	must(err)
	t := newTracker(k)
	ctx := context.Background()
	limit := uint64(variable(limitVariable))
	must(unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: limit, Max: limit}))
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

var _ = Describe("A tracker with few descriptors", func() {
	for i, m := range mechanisms {
		// begin has a process with few descriptors track a tree, and returns
		// what tells it to do something.
		begin := func(r *root, limit int) (*root, func(order string) string) {
			if faulty {
				Skip("errors would be taken for those of the limit")
			}
			k, err := m.open() // or the spec is skipped
			Expect(err).NotTo(HaveOccurred())
			Expect(k.close()).To(Succeed())
			hears, tells, err := os.Pipe()
			Expect(err).NotTo(HaveOccurred())
			c := played("crowded", limitVariable+"="+itoa(limit), mechanismVariable+"="+itoa(i), rootVariable+"="+itoa(r.Pid))
			c.in = hears
			observer := lead(0, c)
			Expect(hears.Close()).To(Succeed())
			DeferCleanup(tells.Close) // which ends it
			return observer, func(order string) string {
				_, err := fmt.Fprintln(tells, order)
				Expect(err).NotTo(HaveOccurred())
				return observer.line()
			}
		}

		It("says unknown while it has none to read the table with, on "+m.name, func(ctx SpecContext) {
			r := perl(2, `child { report("child $$"); wait_at(1) }; wait_at(0)`)
			r.person()
			observer, tell := begin(r, 64)
			Expect(observer.line()).To(Equal("tracking"))
			Expect(tell("check")).To(Equal("alive"))
			Expect(tell("take")).To(Equal("taken"))
			// macOS needs none for that.
			Expect(tell("check")).To(Or(Equal("alive"), HavePrefix("unknown")))
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
			observer, tell := begin(r, 32)
			if observer.line() != "tracking" {
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
