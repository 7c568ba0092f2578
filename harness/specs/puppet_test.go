//go:build darwin || linux

package specs_test

import (
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/harness"
)

var _ = Describe("A puppet", func() {
	var (
		stage  *harness.Stage
		root   *harness.Job
		puppet *harness.Puppet
	)

	BeforeEach(func(ctx SpecContext) {
		stage = newStage()
		root = stage.Start("puppet", "root")
		puppet = stage.Puppet("root")
	})

	It("reports its standing", func(ctx SpecContext) {
		at := puppet.Report()
		Expect(at.PID).To(Equal(root.PID()))
		Expect(at.Parent).NotTo(Equal(os.Getpid()), "the parent is a warden, which adopts the orphans as well")
		Expect(at.Group).To(Equal(root.PID()), "a job leads its group")
	}, SpecTimeout(time.Minute))

	It("exits with the code of the order", func(ctx SpecContext) {
		puppet.Exit(42)
		Expect(root.Wait()).To(Equal(harness.Status{Code: 42}))
	}, SpecTimeout(time.Minute))

	DescribeTable("dies by a signal", func(ctx SpecContext, signal syscall.Signal) {
		puppet.Die(signal)
		Expect(root.Wait()).To(Equal(harness.Status{Signal: signal}))
	},
		Entry("hang-up", syscall.SIGHUP, SpecTimeout(time.Minute)),
		Entry("interrupt", syscall.SIGINT, SpecTimeout(time.Minute)),
		Entry("terminate", syscall.SIGTERM, SpecTimeout(time.Minute)),
		Entry("kill", syscall.SIGKILL, SpecTimeout(time.Minute)),
	)

	It("stops and continues", func(ctx SpecContext) {
		puppet.Stop()
		puppet.Continue()
		Expect(puppet.Report().PID).To(Equal(root.PID()))
	}, SpecTimeout(time.Minute))

	It("crashes like a program with a fault", func(ctx SpecContext) {
		puppet.Crash()
		Expect(root.Wait()).To(Equal(harness.Status{Signal: syscall.SIGABRT}))
		Expect(root.Output()).To(BeEmpty())
	}, SpecTimeout(time.Minute))

	It("reports its start time, which an exec does not change", func(ctx SpecContext) {
		start := puppet.Report().Start
		Expect(start).NotTo(BeZero())
		Expect(puppet.ExecSelf().Start).To(Equal(start))
		Expect(puppet.Fork("child").Report().Start).To(BeNumerically(">=", start))
	}, SpecTimeout(time.Minute))

	It("forks twice like a daemon", func(ctx SpecContext) {
		leaf := puppet.DoubleFork("leaf", harness.OwnSession).Report()
		Expect(leaf.Parent).NotTo(Equal(root.PID()))
		Expect(leaf.Session).NotTo(BeElementOf(leaf.PID, puppet.Report().Session))
	}, SpecTimeout(time.Minute))

	It("loses its environment, and so do its children", func(ctx SpecContext) {
		Expect(puppet.DropEnvironment().PID).To(Equal(root.PID()))
		child := puppet.Spawn("/usr/bin/env")
		Expect(puppet.Reap(child)).To(Equal(harness.Status{}))
		Expect(root.Output()).NotTo(ContainSubstring("="))
	}, SpecTimeout(time.Minute))

	It("sets a variable, which its children inherit, and obeys on", func(ctx SpecContext) {
		Expect(puppet.Setenv("SET_BY_A_SPEC", "x=y z").PID).To(Equal(root.PID()))
		child := puppet.Fork("child")
		printed := child.Spawn("sh", "-c", `echo "$SET_BY_A_SPEC"`)
		Expect(child.Reap(printed)).To(Equal(harness.Status{}))
		Expect(root.Output()).To(Equal("x=y z\n"))
		Expect(puppet.Setenv("SET_BY_A_SPEC", "").PID).To(Equal(root.PID()))
	}, SpecTimeout(time.Minute))

	It("writes to its terminal, if it has one", func(ctx SpecContext) {
		sh := stage.AtTerminal(harness.Sh, "puppet", "leader")
		leader := stage.Puppet("leader")
		leader.DropTerminal()
		Expect(leader.WriteTerminal("seen")).To(Succeed())
		sh.Expect("seen\n")
		Expect(leader.Fork("apart", harness.OwnSession).WriteTerminal("unseen")).To(MatchError(syscall.ENXIO))
	}, SpecTimeout(time.Minute))

	It("becomes another user where it is root", Label("root"), func(ctx SpecContext) {
		if os.Getuid() != 0 {
			Skip("only root can change its user")
		}
		puppet.ChangeUser(12345)
		Expect(strings.TrimSpace(stage.Run("ps", "-o", "uid=", "-p", strconv.Itoa(root.PID())).Stdout)).To(Equal("12345"))
		child := puppet.Spawn("sh", "-c", "id -u; id -g; id -G")
		Expect(puppet.Reap(child)).To(Equal(harness.Status{}))
		Expect(root.Output()).To(Equal("12345\n12345\n12345\n"))
	}, SpecTimeout(time.Minute))

	It("forks children in a group or a session of their own", func(ctx SpecContext) {
		plain := puppet.Fork("plain").Report()
		Expect(plain.Parent).To(Equal(root.PID()))
		Expect(plain.Group).To(Equal(root.PID()))
		grouped := puppet.Fork("grouped", harness.OwnGroup).Report()
		Expect(grouped.Group).To(Equal(grouped.PID))
		Expect(grouped.Session).To(Equal(plain.Session))
		apart := puppet.Fork("apart", harness.OwnSession).Report()
		Expect(apart.Session).To(Equal(apart.PID))
	}, SpecTimeout(time.Minute))

	It("leaves its session or its group", func(ctx SpecContext) {
		at := puppet.Fork("child").Setsid()
		Expect(at.Session).To(Equal(at.PID))
		Expect(at.Group).To(Equal(at.PID))
		at = puppet.Fork("other").Setpgid()
		Expect(at.Group).To(Equal(at.PID))
		Expect(at.Session).NotTo(Equal(at.PID))
	}, SpecTimeout(time.Minute))

	It("reports why it cannot obey", func(ctx SpecContext) {
		t := &quietT{}
		message := t.run(func() {
			other := harness.New(t, small)
			other.Start("puppet", "leader")
			other.Puppet("leader").Setsid() // a group leader cannot
		})
		Expect(message).To(MatchRegexp(`puppet leader \(PID \d+\): setsid: operation not permitted`))
	}, SpecTimeout(time.Minute))

	It("that has ended says so, and no more", func(ctx SpecContext) {
		message, _ := failing(func(stage *harness.Stage) {
			stage.Start("puppet", "owner")
			owner := stage.Puppet("owner")
			owner.Die(syscall.SIGKILL)
			owner.Fork("child")
		})
		Expect(message).To(MatchRegexp(`^puppet owner \(PID \d+\): fork: the puppet has ended$`))
	}, SpecTimeout(time.Minute))

	It("is an orphan after its parent has ended", func(ctx SpecContext) {
		child := puppet.Fork("child")
		puppet.Exit(0)
		root.Wait()
		Expect(child.Report().Parent).NotTo(Equal(root.PID()))
	}, SpecTimeout(time.Minute))

	It("keeps its PID and its connection when it execs itself", func(ctx SpecContext) {
		for range 3 {
			Expect(puppet.ExecSelf().PID).To(Equal(root.PID()))
		}
		puppet.Fork("child").Exit(0)
		puppet.Exit(5)
		Expect(root.Wait()).To(Equal(harness.Status{Code: 5}))
	}, SpecTimeout(time.Minute))

	It("becomes another program, whose end is still reported", func(ctx SpecContext) {
		puppet.Exec("sh", "-c", "puppet inner; exit 9")
		inner := stage.Puppet("inner")
		Expect(inner.Report().Parent).To(Equal(root.PID()))
		Expect(puppet.Gone()).NotTo(BeClosed())
		inner.Exit(0)
		Expect(root.Wait()).To(Equal(harness.Status{Code: 9}))
		Eventually(ctx, puppet.Gone()).Should(BeClosed())
	}, SpecTimeout(time.Minute))

	It("ignores the hang-up, and so does its child", func(ctx SpecContext) {
		puppet.IgnoreHangup()
		child := puppet.Fork("child")
		Expect(syscall.Kill(-root.PID(), syscall.SIGHUP)).To(Succeed())
		Expect(puppet.Report().PID).To(Equal(root.PID()))
		Expect(child.Report().Parent).To(Equal(root.PID()))
	}, SpecTimeout(time.Minute))

	It("ignores signals, and so do its children", func(ctx SpecContext) {
		puppet.Ignore(syscall.SIGTERM, syscall.SIGUSR1)
		child := puppet.Fork("child")
		Expect(stage.Signal(-root.PID(), syscall.SIGTERM)).To(Succeed())
		Expect(puppet.Report().PID).To(Equal(root.PID()))
		if runtime.GOOS == "linux" { // of the actions at its start, a puppet on macOS knows two
			Expect(child.Report().Parent).To(Equal(root.PID()))
		}
		plain := puppet.Spawn("sh", "-c", "kill -TERM $$; kill -USR1 $$; exit 7")
		Expect(puppet.Reap(plain)).To(Equal(harness.Status{Code: 7}))
		root.Signal(syscall.SIGHUP)
		root.ExpectKilled(syscall.SIGHUP)
	}, SpecTimeout(time.Minute))

	DescribeTable("ignores what was ignored when it was started, and nothing else:", func(ctx SpecContext, names string, signal, end syscall.Signal) {
		job := stage.Start("sh", "-c", `trap "" `+names+`; exec puppet deaf`)
		deaf := stage.Puppet("deaf")
		for range 2 {
			job.Signal(signal)
			Expect(deaf.ExecSelf().PID).To(Equal(job.PID()))
		}
		child := deaf.Fork("child")
		Expect(stage.Signal(child.PID(), signal)).To(Succeed())
		Expect(child.Report().Parent).To(Equal(job.PID()))
		job.Signal(end)
		job.ExpectKilled(end)
	},
		Entry("the hang-up", "HUP", syscall.SIGHUP, syscall.SIGTERM, SpecTimeout(time.Minute)),
		Entry("the interrupt", "INT", syscall.SIGINT, syscall.SIGHUP, SpecTimeout(time.Minute)),
		Entry("the request to end", Label("linux"), "TERM", syscall.SIGTERM, syscall.SIGHUP, SpecTimeout(time.Minute)),
		Entry("several", Label("linux"), "HUP QUIT USR1 PIPE CHLD", syscall.SIGQUIT, syscall.SIGTERM, SpecTimeout(time.Minute)),
	)

	It("does not reap a dead child without an order", func(ctx SpecContext) {
		child := puppet.Spawn("sh", "-c", "exit 6")
		Expect(puppet.Reap(child)).To(Equal(harness.Status{Code: 6}))
		leaf := puppet.Fork("leaf")
		leaf.Die(syscall.SIGTERM)
		Expect(syscall.Kill(leaf.PID(), 0)).To(Succeed(), "a zombie keeps its PID")
		Expect(puppet.Reap(leaf.PID())).To(Equal(harness.Status{Signal: syscall.SIGTERM}))
		Expect(syscall.Kill(leaf.PID(), 0)).To(MatchError(syscall.ESRCH))
	}, SpecTimeout(time.Minute))

	It("closes its descriptors, and its children inherit none of them", func(ctx SpecContext) {
		puppet.CloseDescriptor(3)
		Eventually(ctx, root.Oracle().Gone()).Should(BeClosed())
		puppet.DropTerminal()
		puppet.CloseInherited()
		Expect(puppet.Fork("child").Report().Parent).To(Equal(root.PID()))
	}, SpecTimeout(time.Minute))

	It("ends when the stage is cleared", func(ctx SpecContext) {
		t := &quietT{}
		var left *harness.Puppet
		Expect(t.run(func() {
			other := harness.New(t, small)
			other.Start("puppet", "left")
			left = other.Puppet("left")
			left.Fork("child", harness.OwnSession)
		})).To(BeEmpty())
		Expect(left.Gone()).To(BeClosed())
	}, SpecTimeout(time.Minute))
})
