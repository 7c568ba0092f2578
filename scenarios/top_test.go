//go:build darwin || linux

package scenarios_test

import (
	"fmt"
	"syscall"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/harness"
)

var _ = Describe("monitor top", ours, func() {
	// atTerminal starts the command at a terminal.
	atTerminal := func(rows, columns int, words ...string) *harness.Terminal {
		GinkgoHelper()
		return stage.Command(append([]string{"monitor", "top"}, words...)...).Env("TERM", "xterm").Size(rows, columns).Terminal()
	}

	It("shows processes as they come and go, and ends with the runtime", func(ctx SpecContext) {
		job := stage.Start(monitor.Run("build", "puppet", "owner")...)
		owner := stage.Puppet("owner")
		// shown is the line of a puppet. One that was exec'd may show a path.
		shown := func(p *harness.Puppet, name string) harness.Pattern {
			return harness.Pattern(fmt.Sprintf(`%d \S*puppet %s`, p.PID(), name))
		}
		t := atTerminal(24, 120, "build")
		t.ExpectScreen(shown(owner, "owner"))
		leaf := owner.Fork("leaf", harness.OwnSession)
		t.ExpectScreen(fmt.Sprintf("─ %d ", leaf.PID()))
		owner.Exit(0)
		job.Wait()
		t.ExpectScreen(shown(leaf, "leaf"))
		t.ExpectGone(shown(owner, "owner"))
		leaf.Exit(0)
		Expect(t.Wait()).To(Equal(harness.Status{}))
		t.ExpectScreen(`runtime "build" was removed at `)
		expectEmptyStore(ctx)
	}, limit)

	It("shows runtimes that start, and fits a window that changes", func(ctx SpecContext) {
		t := atTerminal(24, 200)
		t.ExpectScreen("q quit")
		jobs := []*harness.Job{}
		for n := range 5 {
			jobs = append(jobs, stage.Start(monitor.Run(fmt.Sprint("build-", n), "puppet", fmt.Sprint("owner-", n))...))
		}
		t.ExpectScreen("build-4")
		t.Resize(7, 60)
		t.ExpectScreen("arrows scroll: 1-5 of 10")
		t.Press("G")
		t.ExpectScreen("arrows scroll: 6-10 of 10")
		t.Press("t")
		t.ExpectScreen("t show processes")
		t.Press("q")
		Expect(t.Wait()).To(Equal(harness.Status{}))
		for n, job := range jobs {
			stage.Puppet(fmt.Sprint("owner-", n)).Exit(0)
			job.Wait()
		}
		expectEmptyStore(ctx)
	}, limit)

	It("is a job of a shell: ^Z, fg and ^C leave the terminal as it was", func(ctx SpecContext) {
		job := stage.Start(monitor.Run("build", "puppet", "owner")...)
		owner := stage.Puppet("owner")
		t := stage.Command("bash", "--norc", "--noprofile", "-i").Env("TERM", "xterm").Env("PS1", "prompt> ").Size(24, 80).Echo().Terminal()
		t.ExpectScreen("prompt>")
		t.Send("stty -a >" + stage.Path("before") + "; monitor top")
		t.ExpectScreen("q quit")
		t.Key(harness.CtrlZ)
		t.ExpectScreen(harness.Pattern(`Stopped +monitor top\s+prompt>`)) // what is typed before is lost
		t.Send("fg")
		t.ExpectScreen("q quit")
		t.Key(harness.CtrlC)
		t.ExpectScreen(harness.Pattern(`fg\s+monitor top\s+prompt>`))
		t.Send("echo code $?; stty -a | cmp - " + stage.Path("before") + " && echo as-be''fore")
		t.ExpectScreen(fmt.Sprint("code ", 128+int(syscall.SIGINT)))
		t.ExpectScreen("as-before")
		t.Send("exit")
		t.Wait()
		owner.Exit(0)
		expectRemoved(ctx, "build", job.Oracle())
	}, limit)

	It("gives the terminal back when it is told to end", func(ctx SpecContext) {
		for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT} {
			t := atTerminal(24, 80)
			t.ExpectScreen("q quit")
			t.Signal(signal)
			Expect(t.Wait()).To(Equal(harness.Status{Signal: signal}))
			Expect(t.Output()).To(HaveSuffix("\x1b[?25h\x1b[?1049l"))
		}
	}, limit)
})
