//go:build darwin || linux

package router

import (
	"encoding/binary"
	"io"
	"os"
	"os/exec"
	"sync"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/internal/testproc"
)

// callers is a perl script whose first process makes children one after the other. Each asks
// by its PID, as the first thing that it does, and waits for the answer: a file system
// answers no call before it has. Where the script is told to, each is an orphan by then.
const callers = testproc.Prelude + `
	my ($wanted, $orphans) = @ARGV;
	sub ask { syswrite STDOUT, pack("l", $$); sysread STDIN, my $answer, 1; POSIX::_exit(length $answer ? 0 : 1) }
	sysread STDIN, my $go, 1;
	for (1 .. $wanted) {
		if ($orphans) {
			# The middle process holds $held until it has ended, and the caller asks after that.
			pipe my $ended, my $held; pipe my $over, my $asks;
			child { child { close $held; close $over; sysread $ended, my $byte, 1; ask() }; POSIX::_exit(0) };
			close $held; close $asks; wait; sysread $over, my $byte, 1;
		}
		else { child { ask() }; wait }
	}
`

// A caller is the first process of a tree, whose children call.
type caller struct {
	*exec.Cmd
	asks    io.Reader
	answers io.WriteCloser
}

func newCaller(orphans bool, wanted int) *caller {
	GinkgoHelper()
	perl, err := exec.LookPath("perl")
	if err != nil {
		Skip("perl is not installed")
	}
	how := "0"
	if orphans {
		how = "1"
	}
	c := &caller{Cmd: exec.Command(perl, "-e", callers, testproc.Itoa(wanted), how)}
	c.Stderr = os.Stderr
	c.answers, err = c.StdinPipe()
	Expect(err).NotTo(HaveOccurred())
	c.asks, err = c.StdoutPipe()
	Expect(err).NotTo(HaveOccurred())
	Expect(c.Start()).To(Succeed())
	DeferCleanup(func() {
		_ = c.answers.Close()
		_ = c.Process.Kill()
		_ = c.Wait()
	})
	return c
}

// answer answers the next caller, once its PID was given to a function. It reports whether
// there was one.
func (c *caller) answer(f func(pid int)) bool {
	var pid [4]byte
	if _, err := io.ReadFull(c.asks, pid[:]); err != nil {
		return false
	}
	f(int(binary.NativeEndian.Uint32(pid[:])))
	_, err := c.answers.Write([]byte{1})
	return err == nil
}

// asked answers all callers of some trees and returns how many there were, and how many of
// them got a wrong answer.
func asked(ctx SpecContext, r *Router[string], orphans bool, trees, each int) (all, wrong int) {
	GinkgoHelper()
	var mu sync.Mutex
	var going sync.WaitGroup
	for i := range trees {
		c, value := newCaller(orphans, each), "tree "+testproc.Itoa(i)
		registered(ctx, r, c.Process.Pid, value)
		_, err := c.answers.Write([]byte{1})
		Expect(err).NotTo(HaveOccurred())
		going.Go(func() {
			defer GinkgoRecover()
			for range each {
				var is string
				if !c.answer(func(pid int) { is, _ = r.Of(pid) }) {
					return
				}
				mu.Lock()
				if all++; is != value {
					wrong++
				}
				mu.Unlock()
			}
		})
	}
	going.Wait()
	return all, wrong
}

var _ = withRouter("The first call of a new process", func(open func(...func(*Options[string])) *Router[string]) {
	It("is answered as its parent's", func(ctx SpecContext) {
		all, wrong := asked(ctx, open(), false, 2, 250)
		Expect(all).To(Equal(500))
		Expect(wrong).To(BeZero())
	}, testproc.Patience)

	It("is answered as its parent's 100,000 times", Label("stress"), func(ctx SpecContext) {
		all, wrong := asked(ctx, open(), false, 4, 25_000)
		AddReportEntry("first calls", all, ReportEntryVisibilityAlways)
		Expect(all).To(Equal(100_000))
		Expect(wrong).To(BeZero())
	}, SpecTimeout(20*60*1e9))
})

var _ = Describe("The first call of an orphan", Label("linux", "connector"), func() {
	It("is answered as its dead parent's, though neither was known", func(ctx SpecContext) {
		r := opened(openTracker(ways[0].mechanism), Options[string]{})
		all, wrong := asked(ctx, r, true, 2, 250)
		Expect(all).To(Equal(500))
		Expect(wrong).To(BeZero())
	}, testproc.Patience)
})
