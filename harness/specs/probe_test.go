//go:build darwin || linux

package specs_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"golang.org/x/sys/unix"

	"github.com/gemini-monitor/gemini/harness"
	"github.com/gemini-monitor/gemini/harness/internal/table"
	"github.com/gemini-monitor/gemini/harness/internal/terminal"
)

// Facts about terminals and shells in which kernels differ. A spec expects a fact on
// which the harness relies, and writes other facts into the report.
var _ = Describe("The kernel's terminals", Label("probe"), func() {
	answer := func(question, format string, args ...any) {
		visibility := ReportEntryVisibilityFailureOrVerbose // the JSON report has it with any visibility
		if config, _ := GinkgoConfiguration(); strings.Contains(config.LabelFilter, "probe") {
			visibility = ReportEntryVisibilityAlways
		}
		AddReportEntry(question, fmt.Sprintf(format, args...), visibility)
	}

	// pair returns a terminal that only the spec reads.
	pair := func() (master, replica *os.File) {
		unlock, err := terminal.LockEdge()
		Expect(err).NotTo(HaveOccurred())
		defer unlock()
		master, replica, err = terminal.OpenPair(24, 80)
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(func() { master.Close(); replica.Close() })
		return master, replica
	}

	// leader starts a session leader at the terminal and returns a channel that
	// is closed when it has been reaped.
	leader := func(replica *os.File, script string) <-chan struct{} {
		cmd := exec.Command("/bin/sh", "-c", script)
		cmd.Stdin, cmd.Stdout, cmd.Stderr = replica, replica, replica
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
		Expect(cmd.Start()).To(Succeed())
		reaped := make(chan struct{})
		go func() {
			defer close(reaped)
			cmd.Wait()
		}()
		return reaped
	}

	// read returns the output until the deadline or the end, and the error at its end.
	read := func(master *os.File, patience time.Duration) (string, error) {
		Expect(master.SetReadDeadline(time.Now().Add(patience))).To(Succeed())
		text, err := io.ReadAll(master)
		if err == nil {
			err = io.EOF
		}
		return string(text), err
	}

	It("let a leader exit when its output has been read, at the latest", func(ctx SpecContext) {
		master, replica := pair()
		reaped := leader(replica, "echo last words")
		select { // the time bounds the answer only, not the spec
		case <-reaped:
			answer("a leader exits before its terminal is read", "yes")
		case <-time.After(time.Second):
			answer("a leader exits before its terminal is read", "no, not within a second")
		}
		text, err := read(master, time.Second)
		Eventually(ctx, reaped).Should(BeClosed())
		answer("what is read from a terminal after its leader's exit, while we hold it", "%q, then %v", text, err)
	}, SpecTimeout(time.Minute))

	It("end, or stay open, after the last close", func() {
		master, replica := pair()
		_, err := replica.WriteString("unread")
		Expect(err).NotTo(HaveOccurred())
		Expect(replica.Close()).To(Succeed())
		text, err := read(master, time.Second)
		answer("what is read after the last close", "%q, then %v", text, err)
		Expect(err).To(Or(MatchError(io.EOF), MatchError(syscall.EIO)))
	})

	It("accept or refuse input after the leader's exit", func(ctx SpecContext) {
		master, replica := pair()
		reaped := leader(replica, "exit 0")
		Eventually(ctx, reaped).Should(BeClosed())
		_, err := master.WriteString("hello\n")
		answer("typing after the leader's exit", "error %v", err)
		Expect(err).To(Or(Succeed(), MatchError(syscall.EIO)))
	}, SpecTimeout(time.Minute))

	It("take so many bytes in one line", func(ctx SpecContext) {
		master, replica := pair()
		const typed = 3000
		reaped := leader(replica, "read line; echo ${#line}")
		Expect(master.SetWriteDeadline(time.Now().Add(10 * time.Second))).To(Succeed()) // a full queue may block
		go master.WriteString(strings.Repeat("x", typed) + "\n")
		text, _ := read(master, 2*time.Second)
		answer(fmt.Sprintf("how many of %d bytes arrive in one line", typed), "%q", strings.Trim(text, "\a\r\n"))
		master.WriteString("\n") // the line's own end may have been dropped
		master.Close()           // ends the read in any case
		Eventually(ctx, reaped).Should(BeClosed())
	}, SpecTimeout(time.Minute))

	It("cost nothing while nothing passes", func(ctx SpecContext) {
		stage := newStage()
		stage.Shell(harness.Sh)
		before := processorTime()
		stage.Run("sleep", "0.5")
		spent := processorTime() - before
		answer("processor time of half a second with an idle terminal", "%v", spent)
		Expect(spent).To(BeNumerically("<", 250*time.Millisecond), "something is polled")
	}, Serial, SpecTimeout(time.Minute))

	It("are opened and closed in a short time", func() {
		const rounds = 20
		began := time.Now()
		for range rounds {
			Expect(openAndClose()).To(Succeed())
		}
		answer("opening and closing a terminal", "%v", time.Since(began)/rounds)
	})

	It("belong to processes whose environment the table shows, or does not", func(_ SpecContext) {
		stage := newStage()
		stage.Setenv("A_COOKIE", "chocolate")
		own := stage.Start("puppet", "ours")
		stage.Puppet("ours")
		theirs := stage.Start("/bin/sh", "-c", "puppet inner; : of the system")
		stage.Puppet("inner")
		arguments, environment := table.Words(own.PID())
		Expect(arguments).To(HaveExactElements(HaveSuffix("puppet"), "ours"))
		Expect(environment).To(ContainElement("A_COOKIE=chocolate"), "the stage finds its processes by it")
		_, environment = table.Words(theirs.PID())
		answer("the environment of a program of the system is visible", "%v", slices.Contains(environment, "A_COOKIE=chocolate"))
	}, SpecTimeout(time.Minute))

	It("report the foreground group at the master", func(ctx SpecContext) {
		stage := newStage()
		sh := stage.Shell(harness.Sh)
		Expect(sh.ForegroundGroup()).To(Equal(sh.PID()))
		Expect(sh.Exit()).To(Equal(harness.Status{}))
		group, err := sh.ForegroundGroup()
		answer("the foreground group after the leader's exit", "%d, error %v", group, errors.Unwrap(err))
	}, SpecTimeout(time.Minute))
})

// processorTime returns the processor time of this process.
func processorTime() time.Duration {
	var used unix.Rusage
	Expect(unix.Getrusage(unix.RUSAGE_SELF, &used)).To(Succeed())
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
