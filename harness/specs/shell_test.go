//go:build darwin || linux

package specs_test

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"syscall"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/harness"
)

var _ = Describe("A shell at a terminal", func() {
	for _, kind := range harness.Kinds {
		Context(string(kind), Label("shell:"+string(kind)), func() {
			var stage *harness.Stage

			BeforeEach(func() {
				needs(kind)
				stage = newStage()
			})

			It("runs a line and returns its output and status", func(ctx SpecContext) {
				sh := stage.Shell(kind)
				output, status := sh.Run("echo one; echo two")
				Expect(output).To(Equal("one\ntwo\n"))
				Expect(status).To(Equal(0))
				_, status = sh.Run("false")
				Expect(status).To(Equal(1))
				output, status = sh.Run("(exit 42)")
				Expect(output).To(BeEmpty())
				Expect(status).To(Equal(42))
			}, SpecTimeout(time.Minute))

			It("does not take its prompt in a listing for a prompt", func(ctx SpecContext) {
				sh := stage.Shell(kind)
				output, _ := sh.Run("env | grep PS1; echo end")
				Expect(output).To(HaveSuffix("end\n"))
				output, _ = sh.Run("echo after")
				Expect(output).To(Equal("after\n"))
			}, SpecTimeout(time.Minute))

			It("leads a session and reports how it exits", func(ctx SpecContext) {
				sh := stage.Shell(kind)
				output, _ := sh.Run("echo $$; tty")
				Expect(output).To(HavePrefix(fmt.Sprintln(sh.PID())))
				Expect(output).To(ContainSubstring("/dev/"))
				sh.Send("exit 7")
				Expect(sh.Wait()).To(Equal(harness.Status{Code: 7}))
				Eventually(ctx, sh.Oracle().Gone()).Should(BeClosed())
			}, SpecTimeout(time.Minute))

			It("continues after ^C has ended its foreground job", func(ctx SpecContext) {
				sh := stage.Shell(kind)
				sh.Send("puppet fore")
				fore := stage.Puppet("fore")
				_, status := sh.Interrupt()
				Expect(status).To(Equal(128 + int(syscall.SIGINT)))
				Eventually(ctx, fore.Gone()).Should(BeClosed())
				output, _ := sh.Run("echo still here")
				Expect(output).To(Equal("still here\n"))
			}, SpecTimeout(time.Minute))

			It("stops its foreground job with ^Z and continues it", func(ctx SpecContext) {
				sh := stage.Shell(kind)
				sh.Send("puppet fore")
				fore := stage.Puppet("fore")
				sh.Suspend()
				Expect(fore.Gone()).NotTo(BeClosed())
				sh.Send("fg")
				Expect(fore.Report().Group).NotTo(Equal(sh.PID()))
				fore.Exit(3)
				_, status := sh.Prompt()
				Expect(status).To(Equal(3))
			}, SpecTimeout(time.Minute))

			It("dies of the hang-up when its terminal is closed, and its foreground job with it", func(ctx SpecContext) {
				sh := stage.Shell(kind)
				sh.Send("puppet fore")
				fore := stage.Puppet("fore")
				sh.Hangup()
				sh.Wait()
				Eventually(ctx, fore.Gone()).Should(BeClosed())
				Eventually(ctx, sh.Oracle().Gone()).Should(BeClosed())
			}, SpecTimeout(time.Minute))

			It("can be started by another command, with its start-up files", func(ctx SpecContext) {
				sh := stage.AtTerminal(kind, "sh", "-c", `echo first; exec "$SHELL"`)
				output, _ := sh.Prompt()
				Expect(output).To(HavePrefix("first\n"))
				output, status := sh.Run("echo $$")
				Expect(output).To(Equal(fmt.Sprintln(sh.PID())))
				Expect(status).To(Equal(0))
				sh.Send("puppet fore")
				stage.Puppet("fore")
				sh.Interrupt()
				Expect(sh.Exit().Signal).To(BeZero())
			}, SpecTimeout(time.Minute))

			It("loses nothing of what is written just before the end", Label("native"), func(ctx SpecContext) {
				if runtime.GOOS == "darwin" && os.Getenv("HARNESS_EXEC") != "" {
					Skip("where macOS is emulated on Linux, a terminal may be revoked before its last output has reached the master")
				}
				for range 20 {
					sh := stage.AtTerminal(kind, string(kind), "-c", `i=0; while [ $i -lt 300 ]; do echo "line $i of the last words"; i=$((i+1)); done; printf farewell`)
					Expect(sh.Wait()).To(Equal(harness.Status{}))
					sh.Expect("line 299 of the last words\nfarewell")
				}
			}, SpecTimeout(2*time.Minute))
		})
	}

	It("fails with the last output when it waits in vain", func(ctx SpecContext) {
		t := &quietT{}
		message := t.run(func() {
			stage := harness.New(t, small)
			sh := stage.Shell(harness.Sh)
			sh.Run("echo something; echo else")
			sh.Run("echo a clue")
			sh.Send("echo another")
			sh.Expect("another")
			Eventually(ctx, sh.Transcript).Should(MatchRegexp(`another\n(.*\n)*?.*:0\} \n?$`), "the prompt is there")
			sh.Within(100 * time.Millisecond).Expect("never")
		})
		Expect(message).To(And(ContainSubstring("never"), ContainSubstring("not within 100ms"), ContainSubstring(":0} ")))
	}, SpecTimeout(time.Minute))

	It("fails at once when the terminal has ended", func(ctx SpecContext) {
		t := &quietT{}
		message := t.run(func() {
			stage := harness.New(t, small)
			sh := stage.Shell(harness.Sh)
			sh.Hangup()
			sh.Expect("never")
		})
		Expect(message).To(And(ContainSubstring("the output has ended"), ContainSubstring("hung up")))
	}, SpecTimeout(time.Minute))

	It("exits although it has written more than a terminal can hold", func(ctx SpecContext) {
		stage := newStage()
		sh := stage.Shell(harness.Sh)
		output, _ := sh.Run(`i=0; while [ $i -lt 20000 ]; do echo "line $i"; i=$((i+1)); done`)
		Expect(strings.Count(output, "\n")).To(Equal(20000))
		Expect(sh.Exit()).To(Equal(harness.Status{}))
	}, SpecTimeout(time.Minute))

	It("keeps a transcript that reads like a session", func(ctx SpecContext) {
		stage := newStage()
		sh := stage.Shell(harness.Sh)
		sh.Run("echo one; echo two")
		sh.Send("puppet fore")
		stage.Puppet("fore")
		sh.Interrupt()
		Expect(sh.Transcript()).To(MatchRegexp(`> echo one; echo two\n *\d+\.\d{3} < one\n +< two\n(.*\n)*.*> \^C`))
	}, SpecTimeout(time.Minute))
})

var _ = Describe("A prompt that does not come", func() {
	It("is named in the failure, with what is in the foreground", func() {
		message, _ := failing(func(stage *harness.Stage) {
			sh := stage.Shell(harness.Sh)
			sh.Run("echo one")
			sh.Send("exec puppet keeper")
			stage.Puppet("keeper")
			sh.Within(50 * time.Millisecond).Prompt()
		})
		Expect(message).To(MatchRegexp("^sh-0: expect the prompt of sh after `exec puppet keeper`: not within 50ms; last seen: \"[^;]*$"))
		message, _ = failing(func(stage *harness.Stage) {
			sh := stage.Shell(harness.Sh)
			sh.Send("puppet keeper")
			stage.Puppet("keeper")
			sh.Within(50 * time.Millisecond).Prompt()
		})
		Expect(message).To(MatchRegexp("^sh-0: expect the prompt of sh after `puppet keeper`: not within 50ms; last seen: \"[^;]*; in the foreground is \\d+ \\(.*puppet keeper\\)$"))
	})
})
