//go:build darwin || linux

package main

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/monitor"
	"github.com/gemini-monitor/gemini/tracker/process"
)

// A status of wait(2): an exit code is in the second byte, a signal in the first.
func exited(code int) syscall.WaitStatus           { return syscall.WaitStatus(code << 8) }
func killedBy(s syscall.Signal) syscall.WaitStatus { return syscall.WaitStatus(s) }
func dumpedBy(s syscall.Signal) syscall.WaitStatus { return syscall.WaitStatus(s) | 0x80 }
func signalOf(cmd *exec.Cmd) syscall.Signal {
	return cmd.ProcessState.Sys().(syscall.WaitStatus).Signal()
}
func perl(script string, args ...string) []string {
	return append([]string{"perl", "-e", "$| = 1;" + script}, args...)
}
func waited(name string, command ...string) []string {
	return append([]string{"run", "--wait", "--name", name, "--"}, command...)
}

var _ = Describe("The end of run --wait", func() {
	DescribeTable("is that of the command, but for the time-out", func(status syscall.WaitStatus, how monitor.Cause, want end) {
		Expect(endOf(status, how)).To(Equal(want))
	},
		Entry("an exit", exited(0), monitor.Cause(""), end{}),
		Entry("another exit", exited(7), monitor.Cause(""), end{code: 7}),
		Entry("a death", killedBy(syscall.SIGTERM), monitor.Cause(""), end{143, syscall.SIGTERM}),
		Entry("a death with a core file", dumpedBy(syscall.SIGQUIT), monitor.Cause(""), end{131, syscall.SIGQUIT}),
		Entry("a stop", killedBy(syscall.SIGTERM), monitor.CauseStop, end{143, syscall.SIGTERM}),
		Entry("leftovers that were told to end", exited(3), monitor.CauseLeftovers, end{code: 3}),
		Entry("the time-out", killedBy(syscall.SIGTERM), monitor.CauseTimeout, end{code: 124}),
		Entry("the time-out, after SIGKILL", killedBy(syscall.SIGKILL), monitor.CauseTimeout, end{code: 124}),
		Entry("the time-out, long after the command", exited(0), monitor.CauseTimeout, end{code: 124}),
	)
})

var _ = Describe("The time of run --wait", func() {
	DescribeTable("can be over before the command has begun", func(status syscall.WaitStatus, how monitor.Cause, limit, took time.Duration, want bool) {
		Expect(struckAtStart(status, how, limit, took)).To(Equal(want))
	},
		Entry("which leaves no line in the history", killedBy(syscall.SIGTERM), monitor.Cause(""), time.Second, time.Second, true),
		Entry("but not before it is over", killedBy(syscall.SIGTERM), monitor.Cause(""), time.Second, time.Second-1, false),
		Entry("but not where there is none", killedBy(syscall.SIGTERM), monitor.Cause(""), time.Duration(0), time.Second, false),
		Entry("but not where the command could not be started", exited(127), monitor.Cause(""), time.Second, time.Second, false),
		Entry("but not where the command has begun", killedBy(syscall.SIGTERM), monitor.CauseEnded, time.Second, time.Second, false),
	)
})

var _ = Describe("run --wait", func() {
	// begin starts a run and returns what it prints.
	begin := func(args ...string) (*exec.Cmd, io.Reader) {
		GinkgoHelper()
		cmd := command(args...)
		cmd.Stderr = GinkgoWriter
		out, err := cmd.StdoutPipe()
		Expect(err).NotTo(HaveOccurred())
		Expect(cmd.Start()).To(Succeed())
		DeferCleanup(func() {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		})
		return cmd, out
	}
	line := func(from io.Reader) string {
		GinkgoHelper()
		var line bytes.Buffer
		for !bytes.HasSuffix(line.Bytes(), []byte("\n")) {
			_, err := io.CopyN(&line, from, 1)
			Expect(err).NotTo(HaveOccurred(), line.String())
		}
		return line.String()
	}
	// expectGone expects that no runtime is there. What is in the trash may still be being
	// deleted.
	expectGone := func() {
		GinkgoHelper()
		Expect(store().Names()).To(BeEmpty())
		Eventually(func() error { return InterceptGomegaFailure(nothingLeft) }).Should(Succeed())
	}
	// gate returns a named pipe, and what lets a reader of it go on.
	gate := func() (path string, open func()) {
		GinkgoHelper()
		path = filepath.Join(GinkgoT().TempDir(), "gate")
		Expect(syscall.Mkfifo(path, 0o600)).To(Succeed())
		return path, func() {
			GinkgoHelper()
			Expect(os.WriteFile(path, []byte("go\n"), 0)).To(Succeed())
		}
	}

	It("leaves output and exit status to the command, and returns when its runtime is gone", func() {
		Expect(start("run", "--wait", "--", "sh", "-c", "cat; echo out; echo err >&2; exit 7")).To(Equal(outcome{"out\n", "err\n", 7}))
		expectGone()
	})

	It("dies of the signal that the command died of, without a word", func() {
		for name, s := range map[string]syscall.Signal{"TERM": syscall.SIGTERM, "KILL": syscall.SIGKILL, "QUIT": syscall.SIGQUIT, "USR1": syscall.SIGUSR1} {
			var out bytes.Buffer
			cmd := command("run", "--wait", "--", "perl", "-e", "kill shift, $$; sleep 1000", name)
			cmd.Stdout, cmd.Stderr = &out, &out
			Expect(cmd.Run()).NotTo(Succeed())
			Expect(signalOf(cmd)).To(Equal(s), out.String())
			Expect(cmd.ProcessState.Sys().(syscall.WaitStatus).CoreDump()).To(BeFalse())
			Expect(out.String()).To(BeEmpty())
		}
		expectGone()
	})

	It("ends its output with the command's, and stays while something that the command left lives", func() {
		path, open := gate()
		trace := filepath.Join(GinkgoT().TempDir(), "trace")
		cmd, out := begin(waited("left", "sh", "-c", `(read x <"$0"; echo went >"$1") >/dev/null 2>&1 & echo hi; exit 3`, path, trace)...)
		Expect(io.ReadAll(out)).To(BeEquivalentTo("hi\n")) // returns though run lives
		Expect(cmd.Process.Signal(syscall.Signal(0))).To(Succeed())
		Expect(trace).NotTo(BeAnExistingFile())
		open()
		Expect(cmd.Wait()).NotTo(Succeed())
		Expect(cmd.ProcessState.ExitCode()).To(Equal(3))
		Expect(trace).To(BeAnExistingFile())
		expectGone()
	})

	It("told to end after the command has ended, ends by that signal and leaves the runtime", func() {
		path, open := gate()
		cmd, out := begin(waited("left", "sh", "-c", `(read x <"$0") >/dev/null 2>&1 & echo hi`, path)...)
		Expect(io.ReadAll(out)).To(BeEquivalentTo("hi\n"))
		Eventually(func() process.State { // the shell has ended
			r, err := store().Runtime("left")
			Expect(err).NotTo(HaveOccurred())
			record, err := r.Record()
			Expect(err).NotTo(HaveOccurred())
			row, err := process.Lookup(record.Owner.PID)
			if err != nil {
				return process.Zombie
			}
			return row.State
		}).Should(Equal(process.Zombie))
		Expect(cmd.Process.Signal(syscall.SIGTERM)).To(Succeed())
		Expect(cmd.Wait()).NotTo(Succeed())
		Expect(signalOf(cmd)).To(Equal(syscall.SIGTERM))
		Expect(store().Names()).To(Equal([]string{"left"}))
		open()
		Eventually(store().Names).Should(BeEmpty())
	})

	It("passes on the signals that it is sent, once each", func() {
		counts := perl(`$SIG{$_} = sub { $n{$_[0]}++; print "all\n" if ++$all == 7 } for qw(INT TERM HUP QUIT USR1 ALRM WINCH);
			$SIG{USR2} = sub { print join(" ", map { "$_$n{$_}" } sort keys %n), "\n"; exit 9 };
			print "ready\n"; sleep 1 while 1`)
		cmd, out := begin(waited("told", counts...)...)
		Expect(line(out)).To(Equal("ready\n"))
		for _, s := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT, syscall.SIGUSR1, syscall.SIGALRM, syscall.SIGWINCH} {
			Expect(cmd.Process.Signal(s)).To(Succeed())
		}
		Expect(line(out)).To(Equal("all\n"))
		Expect(cmd.Process.Signal(syscall.SIGUSR2)).To(Succeed())
		Expect(line(out)).To(Equal("ALRM1 HUP1 INT1 QUIT1 TERM1 USR11 WINCH1\n"))
		Expect(cmd.Wait()).NotTo(Succeed())
		Expect(cmd.ProcessState.ExitCode()).To(Equal(9))
	})

	It("passes on what its caller ignores, to a command that does not", func() {
		// ginkgo runs a binary without symbols, which keeps no other signal of those that end.
		signal.Ignore(syscall.SIGHUP, syscall.SIGTSTP)
		cmd, out := begin(waited("told", perl(`$SIG{HUP} eq "IGNORE" && $SIG{TSTP} eq "IGNORE" or die;
			$SIG{HUP} = sub { print "told\n"; exit 9 }; print "ready\n"; sleep 1 while 1`)...)...)
		signal.Reset(syscall.SIGHUP, syscall.SIGTSTP)
		Expect(line(out)).To(Equal("ready\n"))
		Expect(cmd.Process.Signal(syscall.SIGHUP)).To(Succeed())
		Expect(line(out)).To(Equal("told\n"))
		Expect(cmd.Wait()).NotTo(Succeed())
		Expect(cmd.ProcessState.ExitCode()).To(Equal(9))
	})

	It("continues a stopped command when it is continued", func() {
		cmd, out := begin(waited("held", perl(`$SIG{CONT} = sub { print "on\n"; exit 9 }; print "$$\n"; sleep 1 while 1`)...)...)
		pid, err := strconv.Atoi(strings.TrimSpace(line(out)))
		Expect(err).NotTo(HaveOccurred())
		Expect(syscall.Kill(pid, syscall.SIGSTOP)).To(Succeed())
		Eventually(func() (process.Process, error) { return process.Lookup(pid) }).Should(HaveField("State", process.Stopped))
		Expect(cmd.Process.Signal(syscall.SIGCONT)).To(Succeed())
		Expect(line(out)).To(Equal("on\n"))
		Expect(cmd.Wait()).NotTo(Succeed())
		Expect(cmd.ProcessState.ExitCode()).To(Equal(9))
	})

	It("that is killed leaves the command as it is", func() {
		path, open := gate()
		cmd, out := begin(waited("alone", "sh", "-c", `echo ready; read x <"$0"; echo went`, path)...)
		Expect(line(out)).To(Equal("ready\n"))
		Expect(cmd.Process.Kill()).To(Succeed())
		open()
		Expect(io.ReadAll(out)).To(BeEquivalentTo("went\n"))
		Eventually(store().Names).Should(BeEmpty())
	})

	It("is no member of the runtime", func() {
		self, err := os.Executable()
		Expect(err).NotTo(HaveOccurred())
		got := start(waited("counted", self, asMonitor, "info", "--json")...)
		Expect(got.Code).To(BeZero(), got.Stderr)
		var status monitor.Status
		Expect(json.Unmarshal([]byte(got.Stdout), &status)).To(Succeed())
		Expect(status.Members).To(HaveLen(1))
		Expect(status.Members[0].Identity).To(Equal(status.Owner))
	})

	It("has the monitor keep the limits, as run without it does", func() {
		self, err := os.Executable()
		Expect(err).NotTo(HaveOccurred())
		limits := monitor.Limits{Timeout: monitor.Seconds(2 * time.Hour), Leftovers: true, Grace: monitor.Seconds(1500 * time.Millisecond)}
		for _, waits := range []string{"--wait", "--wait=false"} {
			got := start("run", waits, "--timeout", "2h", "--leftovers", "stop=1.5", "--", self, asMonitor, "info", "--json")
			var status monitor.Status
			Expect(json.Unmarshal([]byte(got.Stdout), &status)).To(Succeed(), "%+v", got)
			Expect(status.Limits).To(Equal(limits))
		}
		Eventually(store().Names).Should(BeEmpty())
	})

	DescribeTable("exits with 124 when the time was over", func(script string) {
		Expect(start("run", "--timeout", "0.3", "--grace", "0.1", "--", "sh", "-c", script)).To(Equal(outcome{Code: 124}))
		expectGone()
	},
		Entry("and the command ended by SIGTERM", "exec sleep 1000"),
		Entry("and the command had to be killed", "trap '' TERM; while :; do sleep 1000; done"),
		Entry("long after the command", "sleep 1000 >/dev/null 2>&1 &"),
	)

	It("exits as the command did when what it left was told to end", func() {
		Expect(start("run", "--wait", "--leftovers", "stop", "--", "sh", "-c", "sleep 1000 >/dev/null 2>&1 & exit 3")).To(Equal(outcome{Code: 3}))
		expectGone()
	})

	It("has nothing to wait for where the command was not started", func() {
		script := filepath.Join(GinkgoT().TempDir(), "script")
		Expect(os.WriteFile(script, []byte("#!/no/such/interpreter\n"), 0o755)).To(Succeed())
		Expect(start("run", "--wait", script)).To(Equal(outcome{"", "monitor: exec " + script + ": no such file or directory\n", 127}))
		Expect(start("run", "--wait", "--", "/etc/passwd")).To(Equal(outcome{"", "monitor: /etc/passwd: cannot be executed: permission denied\n", 126}))
		expectGone()
		create("taken")
		refused := start(waited("taken", "true")...)
		Expect(refused.Code).To(Equal(125))
		Expect(refused.Stderr).To(MatchRegexp(`^monitor: runtime "taken" exists already.*\n$`))
		Expect(store().Names()).To(Equal([]string{"taken"}))
	})
})
