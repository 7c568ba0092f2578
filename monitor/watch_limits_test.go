//go:build darwin || linux

package monitor_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gbytes"
	"golang.org/x/sys/unix"

	"github.com/gemini-monitor/gemini/monitor"
	"github.com/gemini-monitor/gemini/tracker"
	"github.com/gemini-monitor/gemini/tracker/trees"
)

// A clerk is a monitor in a process of its own, which takes orders about its limits.
type clerk struct {
	orders io.Writer
	said   *gbytes.Buffer
}

// engage has a clerk watch a runtime, and returns when it does.
func engage(s *monitor.Store, name string) *clerk {
	GinkgoHelper()
	self, err := os.Executable()
	Expect(err).NotTo(HaveOccurred())
	cmd := exec.Command(self, rolePrefix+"clerk", s.Dir(), name)
	c := &clerk{said: gbytes.NewBuffer()}
	cmd.Stdout, cmd.Stderr = io.MultiWriter(GinkgoWriter, c.said), GinkgoWriter
	orders, err := cmd.StdinPipe()
	Expect(err).NotTo(HaveOccurred())
	c.orders = orders
	Expect(cmd.Start()).To(Succeed())
	DeferCleanup(func() {
		_ = cmd.Process.Kill() // if it is still there
		_ = cmd.Wait()
	})
	Eventually(c.said).Should(gbytes.Say("watched\n"))
	return c
}

// obeys has the clerk carry out an order, and returns when that is done.
func (c *clerk) obeys(order string) {
	GinkgoHelper()
	_, err := fmt.Fprintln(c.orders, order)
	Expect(err).NotTo(HaveOccurred())
	Eventually(c.said).Should(gbytes.Say("done: %s\n", order))
}

// The orders of a clerk.
const (
	growNoFile = "let no file grow"
	openNoFile = "open no file"
	haveNoFile = "have no file"
	openFew    = "open few files"
	asBefore   = "as before"
)

// playClerk watches a runtime under limits that it is ordered to have, and writes its log
// and how the watching ended: DIR NAME.
func playClerk(args []string) error {
	r, err := runtimeOf(args)
	if err != nil {
		return err
	}
	t, err := tracker.New(tracker.Options{})
	if err != nil {
		return err
	}
	defer t.Close()
	w, err := r.Attach(context.Background(), t, monitor.Options{Log: slog.New(slog.NewTextHandler(os.Stdout, nil))})
	if err != nil {
		return err
	}
	signal.Ignore(syscall.SIGXFSZ)
	time.AfterFunc(time.Hour, func() {}).Stop() // Go opens its poller with the first timer, as the command does early
	fmt.Println("watched")
	go obey(os.Stdin)
	fmt.Println("ended:", w.Run(context.Background()))
	return nil
}

// obey carries out orders.
func obey(orders io.Reader) {
	release := func() error { return nil }
	for lines := bufio.NewScanner(orders); lines.Scan(); {
		var err error
		switch lines.Text() {
		case growNoFile:
			release, err = lower(unix.RLIMIT_FSIZE, 1)
		case openNoFile:
			release, err = lower(unix.RLIMIT_NOFILE, 4) // it has these
		case openFew:
			release, err = lower(unix.RLIMIT_NOFILE, withFree(few))
		case haveNoFile:
			release, err = lower(unix.RLIMIT_NOFILE, 0)
		case asBefore:
			err = release()
		}
		if err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Println("done:", lines.Text())
	}
}

// few is how many files more suffice to read a process table.
const few = 3

// withFree returns the limit with which this process can open some files more.
func withFree(files int) (limit uint64) {
	for free := 0; free < files; limit++ {
		if _, err := unix.FcntlInt(uintptr(limit), unix.F_GETFD, 0); err != nil {
			free++
		}
	}
	return limit
}

// lower sets a soft limit, until the function that it returns is called.
func lower(resource int, to uint64) (release func() error, err error) {
	var limit unix.Rlimit
	if err := unix.Getrlimit(resource, &limit); err != nil {
		return nil, err
	}
	before := limit
	limit.Cur = to
	return func() error { return unix.Setrlimit(resource, &before) }, unix.Setrlimit(resource, &limit)
}

var _ = Describe("A monitor that comes to a limit while it watches", func() {
	DescribeTable("goes on, and makes good what it could not do", func(limit string) {
		store := newStore()
		birth, death, end := newGate(), newGate(), newGate()
		owner := start("read -r x <&3; (read -r x <&5) & read -r x <&7", through(birth, death, end)...)
		runtime := own(store, "build", owner.Identity)
		lease := hold(runtime)
		clerk := engage(store, "build")

		clerk.obeys(limit)
		birth.open()
		Eventually(clerk.said).Should(gbytes.Say("cannot be "))
		clerk.obeys(asBefore)
		Eventually(members(store, "build")).Should(HaveLen(2))
		Eventually(stateOf).WithArguments(store, "build").Should(Equal(monitor.StateRunning))
		death.open()
		Eventually(members(store, "build")).Should(HaveLen(1))

		clerk.obeys(limit)
		end.open()
		// The record cannot be written, or else the table cannot be read.
		Eventually(clerk.said).Should(gbytes.Say("cannot be "))
		clerk.obeys(asBefore)
		Eventually(statusOf).WithArguments(store, "build").Should(And(
			HaveField("State", monitor.StateUnknown), HaveField("Reason", ContainSubstring("holds the lease"))))
		told := func() (told []trees.ChangeKind) {
			for _, e := range entries(runtime) {
				if e.Member != nil {
					told = append(told, e.Event)
				}
			}
			return told
		}
		Eventually(told).Should(Equal([]trees.ChangeKind{trees.Joined, trees.Joined, trees.Left, trees.Left}))

		Expect(lease.Close()).To(Succeed())
		Eventually(clerk.said).Should(gbytes.Say("ended: <nil>\n"))
		nothingLeft(store)
	},
		Entry("with files that may not grow", growNoFile),
		// The program that runs macOS builds on Linux needs descriptors itself.
		Entry("without a new descriptor", Label("linux"), openNoFile),
		Entry("with fewer descriptors than it has", Label("linux"), haveNoFile),
	)
})
