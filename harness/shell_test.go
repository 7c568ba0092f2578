//go:build darwin || linux

package harness_test

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
				sh := stage.Shell(ctx, kind)
				output, status := sh.Run(ctx, "echo one; echo two")
				Expect(output).To(Equal("one\ntwo\n"))
				Expect(status).To(Equal(0))
				_, status = sh.Run(ctx, "false")
				Expect(status).To(Equal(1))
				output, status = sh.Run(ctx, "(exit 42)")
				Expect(output).To(BeEmpty())
				Expect(status).To(Equal(42))
			}, SpecTimeout(time.Minute))

			It("does not take its prompt in a listing for a prompt", func(ctx SpecContext) {
				sh := stage.Shell(ctx, kind)
				output, _ := sh.Run(ctx, "env | grep PS1; echo end")
				Expect(output).To(HaveSuffix("end\n"))
				output, _ = sh.Run(ctx, "echo after")
				Expect(output).To(Equal("after\n"))
			}, SpecTimeout(time.Minute))

			It("leads a session and reports how it exits", func(ctx SpecContext) {
				sh := stage.Shell(ctx, kind)
				output, _ := sh.Run(ctx, "echo $$; tty")
				Expect(output).To(HavePrefix(fmt.Sprintln(sh.PID())))
				Expect(output).To(ContainSubstring("/dev/"))
				sh.Send("exit 7")
				Expect(sh.Wait(ctx)).To(Equal(harness.Status{Code: 7}))
				Eventually(ctx, sh.Oracle().Gone()).Should(BeClosed())
			}, SpecTimeout(time.Minute))

			It("continues after ^C has ended its foreground job", func(ctx SpecContext) {
				sh := stage.Shell(ctx, kind)
				sh.Send("puppet fore")
				fore := stage.Puppet(ctx, "fore")
				_, status := sh.Interrupt(ctx)
				Expect(status).To(Equal(128 + int(syscall.SIGINT)))
				Eventually(ctx, fore.Gone()).Should(BeClosed())
				output, _ := sh.Run(ctx, "echo still here")
				Expect(output).To(Equal("still here\n"))
			}, SpecTimeout(time.Minute))

			It("stops its foreground job with ^Z and continues it", func(ctx SpecContext) {
				sh := stage.Shell(ctx, kind)
				sh.Send("puppet fore")
				fore := stage.Puppet(ctx, "fore")
				sh.Suspend(ctx)
				Expect(fore.Gone()).NotTo(BeClosed())
				sh.Send("fg")
				Expect(fore.Report(ctx).Group).NotTo(Equal(sh.PID()))
				fore.Exit(ctx, 3)
				_, status := sh.Prompt(ctx)
				Expect(status).To(Equal(3))
			}, SpecTimeout(time.Minute))

			It("dies of the hang-up when its terminal is closed, and its foreground job with it", func(ctx SpecContext) {
				sh := stage.Shell(ctx, kind)
				sh.Send("puppet fore")
				fore := stage.Puppet(ctx, "fore")
				sh.Hangup()
				sh.Wait(ctx)
				Eventually(ctx, fore.Gone()).Should(BeClosed())
				Eventually(ctx, sh.Oracle().Gone()).Should(BeClosed())
			}, SpecTimeout(time.Minute))

			It("can be started by another command, with its start-up files", func(ctx SpecContext) {
				sh := stage.AtTerminal(ctx, kind, "sh", "-c", `echo first; exec "$SHELL"`)
				output, _ := sh.Prompt(ctx)
				Expect(output).To(HavePrefix("first\n"))
				output, status := sh.Run(ctx, "echo $$")
				Expect(output).To(Equal(fmt.Sprintln(sh.PID())))
				Expect(status).To(Equal(0))
				sh.Send("puppet fore")
				stage.Puppet(ctx, "fore")
				sh.Interrupt(ctx)
				Expect(sh.Exit(ctx).Signal).To(BeZero())
			}, SpecTimeout(time.Minute))

			It("loses nothing of what is written just before the end", Label("native"), func(ctx SpecContext) {
				if runtime.GOOS == "darwin" && os.Getenv("GEMINI_EXEC") != "" {
					Skip("where macOS is emulated on Linux, a terminal may be revoked before its last output has reached the master")
				}
				for range 20 {
					sh := stage.AtTerminal(ctx, kind, string(kind), "-c", `i=0; while [ $i -lt 300 ]; do echo "line $i of the last words"; i=$((i+1)); done; printf farewell`)
					Expect(sh.Wait(ctx)).To(Equal(harness.Status{}))
					sh.Expect(ctx, "line 299 of the last words\r\nfarewell")
				}
			}, SpecTimeout(2*time.Minute))
		})
	}

	It("fails with the last output when it waits in vain", func(ctx SpecContext) {
		t := &quietT{}
		message := t.run(func() {
			stage := harness.NewStage(t, tools)
			sh := stage.Shell(ctx, harness.Sh)
			sh.Run(ctx, "echo something; echo else")
			sh.Run(ctx, "echo a clue")
			sh.Send("echo another")
			sh.Expect(ctx, "another")
			Eventually(ctx, sh.Transcript).Should(MatchRegexp(`another\n(.*\n)*?.*:0\} \n?$`), "the prompt is there")
			sh.Expect(brief(ctx), "never")
		})
		Expect(message).To(And(ContainSubstring("never"), ContainSubstring("deadline exceeded"), ContainSubstring(":0} ")))
	}, SpecTimeout(time.Minute))

	It("fails at once when the terminal has ended", func(ctx SpecContext) {
		t := &quietT{}
		message := t.run(func() {
			stage := harness.NewStage(t, tools)
			sh := stage.Shell(ctx, harness.Sh)
			sh.Hangup()
			sh.Expect(ctx, "never")
		})
		Expect(message).To(And(ContainSubstring("the terminal ended"), ContainSubstring("hung up")))
	}, SpecTimeout(time.Minute))

	It("exits although it has written more than a terminal can hold", func(ctx SpecContext) {
		stage := newStage()
		sh := stage.Shell(ctx, harness.Sh)
		output, _ := sh.Run(ctx, `i=0; while [ $i -lt 20000 ]; do echo "line $i"; i=$((i+1)); done`)
		Expect(strings.Count(output, "\n")).To(Equal(20000))
		Expect(sh.Exit(ctx)).To(Equal(harness.Status{}))
	}, SpecTimeout(time.Minute))

	It("keeps a transcript that reads like a session", func(ctx SpecContext) {
		stage := newStage()
		sh := stage.Shell(ctx, harness.Sh)
		sh.Run(ctx, "echo one; echo two")
		sh.Send("puppet fore")
		stage.Puppet(ctx, "fore")
		sh.Interrupt(ctx)
		Expect(sh.Transcript()).To(MatchRegexp(`> echo one; echo two\n *\d+\.\d{3} < one\n +< two\n(.*\n)*.*> \^C`))
	}, SpecTimeout(time.Minute))
})
