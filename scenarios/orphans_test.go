//go:build darwin || linux

package scenarios_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/harness"
	"github.com/gemini-monitor/gemini/internal/room"
)

var _ = Describe("An orphan", func() {
	// zsh sends its jobs a hang-up when it exits, unless they are disowned.
	background := map[harness.Kind]string{harness.Bash: "&", harness.Zsh: "&!", harness.Sh: "&"}

	for _, kind := range harness.Kinds {
		It("that was a background job of "+string(kind)+" keeps the runtime when the shell exits", Label("shell:"+string(kind)), func(ctx SpecContext) {
			needs(kind)
			sh := stage.AtTerminal(kind, monitor.Shell("job")...)
			sh.Prompt()
			sh.Run("puppet leaf " + background[kind])
			leaf := stage.Puppet("leaf")
			Expect(sh.Exit()).To(Equal(harness.Status{}))
			expectKept(ctx, "job", sh.Oracle())
			leaf.Exit(0)
			expectRemoved(ctx, "job", sh.Oracle())
		}, limit)

		It("of a double fork in "+string(kind)+" keeps the runtime", Label("shell:"+string(kind)), func(ctx SpecContext) {
			needs(kind)
			sh := stage.AtTerminal(kind, monitor.Shell("double")...)
			sh.Prompt()
			sh.Run("( puppet leaf & )")
			leaf := stage.Puppet("leaf")
			Expect(leaf.Report().Parent).NotTo(Equal(sh.PID()))
			expectKept(ctx, "double", sh.Oracle())
			Expect(sh.Exit()).To(Equal(harness.Status{}))
			expectKept(ctx, "double", sh.Oracle())
			leaf.Exit(0)
			expectRemoved(ctx, "double", sh.Oracle())
		}, limit)
	}

	It("that is a program of the system keeps the runtime", func(ctx SpecContext) {
		// Only the shell knows the PID of this process: ( sleep & ).
		job := stage.Start(monitor.Run("system", "sh", "-c", "( sleep 1000 & echo $! )")...)
		Expect(job.Wait()).To(Equal(harness.Status{}))
		pid, err := strconv.Atoi(strings.TrimSpace(job.Output()))
		Expect(err).NotTo(HaveOccurred())
		expectKept(ctx, "system", job.Oracle())
		// It holds the oracle, so no other process has its PID.
		Expect(stage.Signal(pid, syscall.SIGKILL)).To(Succeed())
		expectRemoved(ctx, "system", job.Oracle())
	}, limit)

	It("that leads a session of its own keeps the runtime", func(ctx SpecContext) {
		job := stage.Start(monitor.Run("session", "puppet", "root")...)
		root := stage.Puppet("root")
		leaf := root.Fork("leaf", harness.OwnSession)
		root.Exit(0)
		job.Wait()
		Expect(leaf.Report().Session).To(Equal(leaf.PID()))
		expectKept(ctx, "session", job.Oracle())
		leaf.Exit(0)
		expectRemoved(ctx, "session", job.Oracle())
	}, limit)

	It("that became a daemon by fork, setsid and fork keeps the runtime", func(ctx SpecContext) {
		job := stage.Start(monitor.Run("daemon", "puppet", "root")...)
		root := stage.Puppet("root")
		leaf := root.DoubleFork("leaf", harness.OwnSession)
		expectKept(ctx, "daemon", job.Oracle())
		root.Exit(0)
		job.Wait()
		expectKept(ctx, "daemon", job.Oracle())
		leaf.Exit(0)
		expectRemoved(ctx, "daemon", job.Oracle())
	}, limit)

	It("that became a daemon with bare forks and closed its terminal keeps the runtime", func(ctx SpecContext) {
		perl()
		job := stage.Start(monitor.Run("service", harness.Daemon("leaf")...)...)
		leaf := stage.Puppet("leaf")
		job.Wait()
		expectKept(ctx, "service", job.Oracle())
		leaf.Exit(0)
		expectRemoved(ctx, "service", job.Oracle())
	}, limit)

	It("that is stopped between its fork and its exec keeps the runtime", func(ctx SpecContext) {
		// It still has the command and the files of its parent.
		script := `use POSIX;
			my $child = fork // die "fork: $!";
			if (!$child) { POSIX::setsid(); kill STOP => $$; exec "puppet", "leaf" or die "exec: $!" }
			waitpid $child, POSIX::WUNTRACED;
			print "$child\n"`
		job := stage.Start(monitor.Run("between", perl(), "-e", script)...)
		Expect(job.Wait()).To(Equal(harness.Status{}), job.Output())
		child, err := strconv.Atoi(strings.TrimSpace(job.Output()))
		Expect(err).NotTo(HaveOccurred())
		expectKept(ctx, "between", job.Oracle())
		Expect(stage.Signal(child, syscall.SIGCONT)).To(Succeed())
		leaf := stage.Puppet("leaf")
		Expect(leaf.PID()).To(Equal(child))
		leaf.Exit(0)
		expectRemoved(ctx, "between", job.Oracle())
	}, limit)

	It("that forks the next and exits, again and again, keeps the runtime", func(ctx SpecContext) {
		// Each process lives for less time than a read of the table takes. No signal
		// reaches them either: they end with the stage, or after a time.
		baton := stage.Path("baton")
		Expect(os.WriteFile(baton, nil, 0o600)).To(Succeed())
		DeferCleanup(os.RemoveAll, baton)
		relay := `use POSIX; while (-e $ARGV[0] && time < $^T + 120) { my $p = fork; POSIX::_exit(0) if $p }`
		job := stage.Start(monitor.Run("baton", perl(), "-e", relay, baton)...)
		job.Wait()
		expectKept(ctx, "baton", job.Oracle())
		Expect(os.Remove(baton)).To(Succeed())
		expectRemoved(ctx, "baton", job.Oracle())
	}, limit)

	It("whose ancestors end faster than a monitor reads the table keeps the runtime", func(ctx SpecContext) {
		perl()
		job := stage.Start(monitor.Run("fast", harness.Chain(50, true, "leaf")...)...)
		Expect(job.Wait()).To(Equal(harness.Status{}), job.Output())
		leaf := stage.Puppet("leaf")
		expectKept(ctx, "fast", job.Oracle())
		leaf.Exit(0)
		expectRemoved(ctx, "fast", job.Oracle())
	}, limit)

	It("that closed all it inherited keeps the runtime, though the lease is free", func(ctx SpecContext) {
		job := stage.Start(monitor.Run("closed", "puppet", "root")...)
		root := stage.Puppet("root")
		leaf := root.Fork("leaf", harness.OwnSession)
		expectKnown(ctx, "closed", leaf)
		leaf.CloseInherited()
		root.Exit(0)
		job.Wait()
		expectKeptBy(ctx, "closed", leaf, job)
	}, limit)

	It("that closes all it inherited as fast as it can keeps the runtime", Label("linux", "connector"), ours, func(ctx SpecContext) {
		job := stage.Start(monitor.Run("closed", "puppet", "root")...)
		root := stage.Puppet("root")
		// Without the PIDs of children in fork notices, a monitor must read the table
		// before the parent has ended: nothing else shows the parent of this process.
		if !strings.Contains(gemini.Log("closed"), "forks=named") {
			Skip("fork notices have no PIDs here: a documented limit of every monitor")
		}
		leaf := root.Fork("leaf", harness.OwnSession)
		leaf.CloseInherited()
		root.Exit(0)
		job.Wait()
		expectKeptBy(ctx, "closed", leaf, job)
	}, limit)

	It("with an empty environment keeps the runtime", func(ctx SpecContext) {
		makeFIFO("gate")
		job := stage.Start(monitor.Run("bare", "sh", "-c", "env -i cat "+stage.Path("gate")+" &")...)
		gate := openGate(ctx, "gate")
		Expect(job.Wait()).To(Equal(harness.Status{}))
		expectKept(ctx, "bare", job.Oracle())
		Expect(gate.Close()).To(Succeed())
		expectRemoved(ctx, "bare", job.Oracle())
	}, limit)

	It("at the end of a hundred and twenty generations keeps the runtime", Label("slow"), func(ctx SpecContext) {
		perl()
		job := stage.Start(monitor.Run("deep", harness.Line(120, "leaf")...)...)
		leaf := stage.Puppet("leaf")
		expectKept(ctx, "deep", job.Oracle())
		leaf.Setpgid()
		// All but the leaf. macOS may return EPERM when only zombies are left.
		_ = stage.Signal(-job.PID(), syscall.SIGKILL)
		Expect(job.Wait()).To(Equal(harness.Status{Signal: syscall.SIGKILL}))
		expectKept(ctx, "deep", job.Oracle())
		leaf.Exit(0)
		expectRemoved(ctx, "deep", job.Oracle())
	}, limit)

	It("is one of very many, and each of them counts", Label("slow"), func(ctx SpecContext) {
		const many = 40
		perl()
		job := stage.Start(monitor.Run("many", harness.Fan(many, "leaf")...)...)
		Expect(job.Wait()).To(Equal(harness.Status{}), job.Output())
		for i := 1; i <= many; i++ {
			leaf := stage.Puppet(fmt.Sprintf("leaf-%d", i))
			if i == many {
				expectKept(ctx, "many", job.Oracle())
			}
			leaf.Exit(0)
		}
		expectRemoved(ctx, "many", job.Oracle())
	}, limit)
})

var _ = Describe("A crowd", func() {
	It("of more than a thousand children, or of as many as the limits allow, keeps the runtime, and each of them counts", Label("slow"), func(ctx SpecContext) {
		// Some tools read 255, 256, 1,000 or 4,096 processes at most. All wait for one gate.
		crowd, err := room.Processes(1200)
		Expect(err).NotTo(HaveOccurred())
		script := `pipe my $in, my $out; for (1..$ARGV[0]) { my $p = fork // die "fork: $!"; next if $p; close $out; <$in>; exit }
			$| = 1; print "born\n"; open my $gate, "<", $ARGV[1]; <$gate>; exit`
		makeFIFO("gate")
		job := stage.Start(monitor.Run("crowd", perl(), "-e", script, fmt.Sprint(crowd), stage.Path("gate"))...)
		Eventually(ctx, job.Output).Should(HaveSuffix("\n"))
		if printed := job.Output(); strings.HasPrefix(printed, "fork: ") {
			Skip("no such crowd is allowed here: " + printed) // a limit for users, or pids.max of a container
		}
		Expect(job.Output()).To(Equal("born\n"))
		gate := openGate(ctx, "gate")
		if gemini != nil {
			Eventually(ctx, func() ([]int, error) { return gemini.Members(ctx, "crowd") }).Should(HaveLen(1 + crowd))
		}
		expectKept(ctx, "crowd", job.Oracle())
		Expect(gate.Close()).To(Succeed()) // each process reads the end of its pipe then
		expectRemoved(ctx, "crowd", job.Oracle())
	}, Serial, limit)
})

var _ = Describe("A zombie", func() {
	It("does not keep a runtime, not even as its owner", func(ctx SpecContext) {
		stage.Start("puppet", "outside")
		outside := stage.Puppet("outside")
		pid := outside.Spawn(monitor.Run("zombie", "puppet", "inside")...)
		inside := stage.Puppet("inside")
		Expect(inside.PID()).To(Equal(pid), "run becomes the command by exec")
		inside.Exit(7)
		expectRemoved(ctx, "zombie", witnessOf(inside))
		Expect(syscall.Kill(pid, 0)).To(Succeed(), "the zombie was reaped: the spec proves nothing")
		Expect(outside.Reap(pid)).To(Equal(harness.Status{Code: 7}))
	}, limit)

	It("does not keep a runtime whose owner ends without reaping it", func(ctx SpecContext) {
		job := stage.Start(monitor.Run("careless", "puppet", "root")...)
		root := stage.Puppet("root")
		child := root.Fork("child")
		child.Exit(0)
		expectKept(ctx, "careless", job.Oracle())
		root.Exit(0)
		expectRemoved(ctx, "careless", job.Oracle())
	}, limit)
})

// expectKnown returns when the monitor knows a process by other evidence than the lease.
// Gemini reports its members. Another monitor gets the time of some runtimes.
func expectKnown(ctx context.Context, name string, leaf *harness.Puppet) {
	GinkgoHelper()
	if gemini == nil {
		for range 4 {
			passTime(ctx)
		}
		return
	}
	Eventually(ctx, func() ([]int, error) { return gemini.Members(ctx, name) }).Should(ContainElement(leaf.PID()))
}

// expectKeptBy checks that the runtime exists as long as leaf lives, which has closed
// all it inherited: its answer is the only witness.
func expectKeptBy(ctx SpecContext, name string, leaf *harness.Puppet, job *harness.Job) {
	GinkgoHelper()
	Eventually(ctx, job.Oracle().Gone()).Should(BeClosed())
	passTime(ctx)
	there, err := listed(ctx, name)
	Expect(err).NotTo(HaveOccurred())
	Expect(leaf.Report().PID).To(Equal(leaf.PID())) // after the list: it lived then
	Expect(there).To(BeTrue(), "runtime %s was removed while PID %d lives, which had closed all it inherited", name, leaf.PID())
	leaf.Exit(0)
	expectRemoved(ctx, name, witnessOf(leaf))
}

// A puppetWitness is the connection of a puppet as a witness.
type puppetWitness struct{ *harness.Puppet }

func (p puppetWitness) Held() bool {
	select {
	case <-p.Gone():
		return false
	default:
		return true
	}
}

func witnessOf(p *harness.Puppet) witness { return puppetWitness{p} }

// perl returns the path of perl, which forks without exec. It skips the spec if perl is
// not installed.
func perl() string {
	path, err := exec.LookPath("perl")
	if err != nil {
		Skip("perl is not installed")
	}
	return path
}
