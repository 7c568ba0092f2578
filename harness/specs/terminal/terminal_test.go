//go:build darwin || linux

package terminal_test

import (
	"bytes"
	"fmt"
	"math"
	"os/exec"
	"strings"
	"syscall"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/harness/internal/terminal"
)

// open returns a terminal that is closed after the spec.
func open(rows, columns int, echo bool) *terminal.Terminal {
	GinkgoHelper()
	unlock, err := terminal.LockEdge()
	Expect(err).NotTo(HaveOccurred())
	defer unlock()
	t, err := terminal.Open(rows, columns, echo)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(t.Close)
	return t
}

// start starts a shell script as the leader of a session at t.
func start(t *terminal.Terminal, script string) *exec.Cmd {
	GinkgoHelper()
	cmd := exec.Command("/bin/sh", "-c", script)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = t.Replica(), t.Replica(), t.Replica()
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	Expect(cmd.Start()).To(Succeed())
	DeferCleanup(func() {
		if cmd.ProcessState == nil {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		}
	})
	return cmd
}

// expect waits for text and returns the offset behind it.
func expect(ctx SpecContext, t *terminal.Terminal, text string, from int) int {
	GinkgoHelper()
	match, err := t.Find(ctx, literals(text), from, nil)
	Expect(err).NotTo(HaveOccurred())
	return match.End
}

var _ = Describe("A terminal", func() {
	It("can be closed during a read", Label("probe"), func() {
		Expect(open(24, 80, false).Pollable()).To(BeTrue())
	})

	DescribeTable("does not open at a size that none has", func(rows, columns int) {
		_, err := terminal.Open(rows, columns, false)
		Expect(err).To(MatchError(ContainSubstring(fmt.Sprintf("cannot have %d rows of %d columns", rows, columns))))
		Expect(open(24, 80, false).Resize(rows, columns)).To(MatchError(ContainSubstring("cannot have")))
	},
		Entry("no rows", 0, 80),
		Entry("fewer columns than none", 24, -1),
		Entry("more rows than the kernel counts", math.MaxUint16+1, 80),
	)

	It("has the size that it was opened with, and then another", func(ctx SpecContext) {
		t := open(5, 40, false)
		start(t, `stty size; read line; stty size; read line`)
		next := expect(ctx, t, "5 40\n", 0)
		Expect(t.Resize(50, 132)).To(Succeed())
		fmt.Fprintln(t)
		expect(ctx, t, "50 132\n", next)
	}, NodeTimeout(time.Minute))

	It("shows what is typed only if echo is on", func(ctx SpecContext) {
		t := open(24, 80, true)
		Expect(t.Echo()).To(BeTrue())
		start(t, `while read line; do echo "<$line>"; done`)
		fmt.Fprintln(t, "one")
		expect(ctx, t, "one\n<one>\n", 0)
		Expect(t.SetEcho(false)).To(Succeed())
		Expect(t.Echo()).To(BeFalse())
		from := t.Len()
		fmt.Fprintln(t, "two")
		expect(ctx, t, "<two>\n", from)
		Expect(t.Text(from, t.Len())).To(Equal("<two>\n"))
		Expect(t.SetEcho(true)).To(Succeed())
		fmt.Fprintln(t, "three")
		expect(ctx, t, "three\n<three>\n", from)
		Expect(open(24, 80, false).Echo()).To(BeFalse())
	}, NodeTimeout(time.Minute))

	It("has its leader as its foreground group", func(ctx SpecContext) {
		t := open(24, 80, false)
		leader := start(t, `echo ready; read line`)
		expect(ctx, t, "ready\n", 0)
		Expect(t.ForegroundGroup()).To(Equal(leader.Process.Pid))
	}, NodeTimeout(time.Minute))

	It("hangs up its leader, and its output ends", func(ctx SpecContext) {
		t := open(24, 80, false)
		leader := start(t, `echo ready; read line; read line`)
		expect(ctx, t, "ready\n", 0)
		t.Hangup()
		leader.Wait()
		Expect(leader.ProcessState.Sys()).To(Or(
			WithTransform(syscall.WaitStatus.Signal, Equal(syscall.SIGHUP)),
			WithTransform(syscall.WaitStatus.Exited, BeTrue()))) // its read may end before the signal arrives
		_, err := t.Find(ctx, literals("never"), 0, nil)
		Expect(err).To(MatchError(terminal.ErrEnded))
		Expect(err).To(MatchError(ContainSubstring("hung up")))
		_, err = t.ForegroundGroup()
		Expect(err).To(HaveOccurred())
		_, err = t.Write([]byte("x"))
		Expect(err).To(MatchError(ContainSubstring(`type "x"`)))
		t.CatchUp()
		Expect(t.Close()).To(Succeed())
	}, NodeTimeout(time.Minute))

	It("answers a program as it is told to", func(ctx SpecContext) {
		t := open(24, 80, false)
		t.Answer(func(shown []byte) []byte {
			if bytes.Contains(shown, []byte("where?")) {
				return []byte("here\n")
			}
			return nil
		})
		start(t, `echo 'where?'; read line; echo "it is $line"`)
		expect(ctx, t, "it is here\n", 0)
		Expect(t.Transcript()).To(ContainSubstring("> here\n"))
	}, NodeTimeout(time.Minute))

	It("has all output of a program that has ended, although another holds it", func() {
		for range 20 {
			t := open(24, 80, false)
			leader := start(t, `trap '' HUP; `+longOutput+`; (exec sleep 60) & printf %s $!`)
			Expect(leader.Wait()).To(Succeed())
			t.CatchUp()
			text := t.Text(0, t.Len())
			Expect(text).To(ContainSubstring("line 299\n"))
			var pid int
			fmt.Sscan(text[strings.LastIndex(text, "\n")+1:], &pid)
			Expect(syscall.Kill(pid, syscall.SIGKILL)).To(Succeed())
		}
	})
})

const longOutput = `i=0; while [ $i -lt 300 ]; do echo "line $i"; i=$((i+1)); done`
