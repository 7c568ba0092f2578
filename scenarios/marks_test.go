//go:build linux

package scenarios_test

import (
	"context"
	"os"
	"strconv"
	"strings"
	"syscall"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"golang.org/x/sys/unix"

	"github.com/gemini-monitor/gemini/harness"
)

// What the processes of these specs do, in perl. A daemon forks, leads a session, forks
// again and closes all descriptors; its environment alone connects it with its runtime then. It
// waits until the gate in the first argument is closed.
const closesAll = `use POSIX ();
	sub stays {
		POSIX::close($_) for 0 .. 255;
		open my $gate, "<", $ARGV[0]; open my $came, ">>", "$ARGV[0].came"; syswrite $came, "."; close $came;
		<$gate>; POSIX::_exit(0)
	}
	sub daemon { return if fork; POSIX::setsid(); POSIX::_exit(0) if fork; stays() }
	sub leader { return if fork; POSIX::setsid(); stays() }
`

// What is done beside a runtime by those who have a copy of its variable. A manager imports
// the variable and starts a service, which is a program that finds it in its environment. One
// that adopts orphans leads a session, as that of systemd does.
const copies = `
	sub imports { open my $copy, "<", "copy"; my $line = <$copy>; chomp $line; $line =~ s/^MONITOR_MARK=//; $ENV{MONITOR_MARK} = $line }
	sub adopts { POSIX::setsid(); syscall((POSIX::uname())[4] eq "x86_64" ? 157 : 167, 36, 1, 0, 0, 0) == 0 or die "prctl: $!" }
	sub start { return if fork; POSIX::setsid(); exec $^X, "-e", $ENV{SERVICE}, $ENV{GATE} }
	sub orphaned { my $parent = shift; 1 while getppid() == $parent; stays() }
	sub leading { my $service = $$; pipe my $in, my $out; # an orphan that leads no session yet would count
		if (fork) { close $out; sysread $in, my $none, 1; POSIX::_exit(0) }
		POSIX::setsid(); close $in; close $out; orphaned($service) }
	sub forking { POSIX::_exit(0) if fork; POSIX::setsid(); my $first = $$; POSIX::_exit(0) if fork; orphaned($first) }
`

// markOf returns the value of the variable that the kernel shows for a process.
func markOf(pid int) string {
	GinkgoHelper()
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/environ")
	Expect(err).NotTo(HaveOccurred())
	for setting := range strings.SplitSeq(string(text), "\x00") {
		if value, ok := strings.CutPrefix(setting, "MONITOR_MARK="); ok {
			return value
		}
	}
	return ""
}

// readers is the witness of processes that read a gate: the kernel reports an error to the
// writer when none does.
type readers struct{ gate *os.File }

func (r readers) Held() (held bool) {
	raw, err := r.gate.SyscallConn()
	if err != nil {
		return false
	}
	_ = raw.Control(func(fd uintptr) {
		fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}
		_, err := unix.Poll(fds, 0)
		held = err == nil && fds[0].Revents&unix.POLLERR == 0
	})
	return held
}

// Gone implements witness. The specs here end the processes themselves.
func (r readers) Gone() <-chan struct{} { return nil }

// joined returns how many processes have joined a runtime by its journal.
func joined(name string) (number int) {
	for _, e := range gemini.Journal(name) {
		if e.Event == "joined" {
			number++
		}
	}
	return number
}

// Where forks are not noticed, the table is read four times a second.
var _ = Describe("In a container, where forks are not noticed,", Label("linux", "namespaces"), ours, func() {
	// contain starts a runtime in a PID namespace whose init lives on, until the spec ends.
	contain := func(init string, run []string) {
		GinkgoHelper()
		container := append(unshare[:len(unshare):len(unshare)], "sh", "-c", init, "init")
		job := stage.Start(append(container, run...)...)
		DeferCleanup(func() { Expect(stage.Signal(job.PID(), syscall.SIGKILL)).To(Succeed()) })
	}
	const once = `"$@"; sleep 1000`

	DescribeTable("what its environment alone connects with a runtime keeps it", func(ctx SpecContext, script string, daemons int) {
		namespace(ctx)
		makeFIFO("gate")
		contain(once, monitor.Run("daemons", perl(), "-e", closesAll+script, stage.Path("gate")))
		gate := openGate(ctx, "gate")
		came(ctx, daemons)
		Eventually(ctx, func() int { return joined("daemons") }).Should(BeNumerically(">=", daemons))
		expectKept(ctx, "daemons", readers{gate})
		Expect(gate.Close()).To(Succeed())
		expectRemoved(ctx, "daemons", noProcess{})
	},
		Entry("twenty daemons", limit, `daemon() for 1 .. 20`, 20),
		Entry("a daemon that does all that those of Python do", limit, `
			sub python { return if fork; POSIX::setsid(); POSIX::_exit(0) if fork; chdir "/"; umask 0;
				open my $null, "+<", "/dev/null"; POSIX::dup2(fileno $null, $_) for 0 .. 2;
				POSIX::close($_) for 3 .. 2047; stays() }
			python()`, 1),
		Entry("a process that leads its session", limit, `leader()`, 1),
		Entry("fifty daemons in a storm of 2,000 processes", limit, `for (1 .. 50) { for (1 .. 40) { POSIX::_exit(0) unless fork } daemon(); 1 while waitpid(-1, POSIX::WNOHANG()) > 0 }`, 50),
	)

	It("a daemon of a runtime inside another keeps both", func(ctx SpecContext) {
		namespace(ctx)
		makeFIFO("gate")
		words := append([]string{perl(), "-e", closesAll + `exec @ARGV[1 .. $#ARGV]`, stage.Path("gate")},
			monitor.Run("inner", perl(), "-e", closesAll+`daemon()`, stage.Path("gate"))...)
		contain(once, monitor.Run("outer", words...))
		gate := openGate(ctx, "gate")
		expectKept(ctx, "outer", readers{gate})
		expectKept(ctx, "inner", readers{gate})
		Expect(gate.Close()).To(Succeed())
		expectRemoved(ctx, "inner", noProcess{})
		expectRemoved(ctx, "outer", noProcess{})
	}, limit)

	DescribeTable("a copy of the variable is decided by who has it", func(ctx SpecContext, outside, service string, counts bool) {
		namespace(ctx)
		for _, name := range []string{"gate", "end", "copy"} {
			makeFIFO(name)
		}
		stage.Setenv("OUTSIDE", closesAll+copies+outside)
		stage.Setenv("SERVICE", closesAll+copies+service)
		stage.Setenv("PERL", perl())
		stage.Setenv("GATE", stage.Path("gate"))
		contain(`"$@" & "$PERL" -e "$OUTSIDE" "$GATE" & sleep 1000`,
			monitor.Run("copied", "sh", "-c", `echo "MONITOR_MARK=$MONITOR_MARK" >copy; cat end`))
		end := openGate(ctx, "end")
		gate := openGate(ctx, "gate")
		Expect(end.Close()).To(Succeed()) // the command exits
		if counts {
			expectKept(ctx, "copied", readers{gate})
			Expect(gate.Close()).To(Succeed())
			expectRemoved(ctx, "copied", noProcess{})
			return
		}
		expectRemoved(ctx, "copied", noProcess{})
		Expect(readers{gate}.Held()).To(BeTrue(), "the spec proves nothing: the other process has ended")
	},
		Entry("the service of a manager that has imported it does not count: its parent lives", limit,
			`imports(); start(); sleep 1000`, `stays()`, false),
		Entry("the daemon of a service whose own process has ended counts: it is an orphan, and late is better than early", limit,
			`imports(); start(); sleep 1000`, `forking()`, true),
		Entry("the same where the manager adopts the orphans of its services, as that of systemd for a user does", limit,
			`adopts(); imports(); start(); sleep 1000`, `forking()`, true),
		Entry("such a daemon does not count where it leads its session: it looks like a service", limit,
			`adopts(); imports(); start(); sleep 1000`, `leading()`, false),
		Entry("what an editor's server from outside starts for a client that has it does not count: its parent lives", limit,
			`exit if fork; POSIX::setsid(); exit if fork; imports(); start(); sleep 1000`, `stays()`, false),
		Entry("what daemonizes in a shell that has read it from a file counts: it is an orphan, and late is better than early", limit,
			`exec "sh", "-c", 'set -a; . ./copy; "$PERL" -e "$SERVICE" "$GATE"; sleep 1000'`, `forking()`, true),
	)
})

var _ = Describe("Where forks are not noticed, a stranger with a mark in its environment", Label("linux", "namespaces"), ours, func() {
	// A stranger is an orphan that some other command has left. It carries what spoil makes of
	// the mark of a runtime that is in a network namespace of its own, where forks are not named
	// and PIDs are those of all.
	DescribeTable("is decided by the whole mark", func(ctx SpecContext, spoil func(mark string) string, counts bool) {
		namespace(ctx)
		job := stage.Start(append([]string{"unshare", "--net"}, monitor.Run("marked", "puppet", "owner")...)...)
		owner := stage.Puppet("owner")
		mark := markOf(owner.PID())
		Expect(mark).To(MatchRegexp("^[A-Z2-7]{26}$"))
		stage.Start("puppet", "outside")
		outside := stage.Puppet("outside")
		outside.Setenv("MONITOR_MARK", spoil(mark))
		stranger := outside.DoubleFork("stranger", harness.OwnSession)
		Expect(markOf(stranger.PID())).To(Equal(spoil(mark)))
		owner.Exit(0)
		if counts {
			expectKept(ctx, "marked", witnessOf(stranger))
			stranger.Exit(0)
			expectRemoved(ctx, "marked", job.Oracle())
			return
		}
		expectRemoved(ctx, "marked", job.Oracle())
		Expect(stranger.Report().PID).To(Equal(stranger.PID()))
	},
		Entry("it does not count with a guess, nor with what is like the mark", limit, func(mark string) string {
			return strings.Join([]string{strings.Repeat("A", 26), mark[:25], mark[:25] + "=", mark[1:] + mark[:1], mark + "A", strings.ToLower(mark), "*", ""}, ":")
		}, false),
		Entry("it counts with a copy among guesses: a process of the same user can do that", limit, func(mark string) string {
			return "guess:" + mark + ":" + strings.Repeat("A", 26)
		}, true),
	)
})

var _ = Describe("While no monitor watches", Label("linux"), ours, func() {
	// bear starts a runtime, kills its monitor and has the script go on then. It returns
	// when the command has ended and a process reads the gate.
	bear := func(ctx SpecContext, name, script string) (gate *os.File) {
		GinkgoHelper()
		makeFIFO("gate")
		makeFIFO("start")
		job := stage.Start(monitor.Run(name, perl(), "-e", closesAll+`open my $start, "<", $ARGV[1]; <$start>; `+script, stage.Path("gate"), stage.Path("start"))...)
		start := openGate(ctx, "start")
		pair := expectPair(ctx)
		fell(ctx, pair.Guard, pair.Resident)
		Expect(start.Close()).To(Succeed())
		job.Wait()
		return openGate(ctx, "gate")
	}

	It("ten daemons are born that their environment alone connects with the runtime, and the next monitor finds all", func(ctx SpecContext) {
		// The command reaps those in the middle: a daemon is no orphan before that has ended.
		gate := bear(ctx, "orphaned", `daemon() for 1 .. 10; 1 while wait > 0`)
		came(ctx, 10)
		Expect(gemini.Members(ctx, "orphaned")).To(HaveLen(10))
		expectKept(ctx, "orphaned", readers{gate})
		Expect(gate.Close()).To(Succeed())
		expectRemoved(ctx, "orphaned", noProcess{})
	}, limit)

	It("a daemon is born below a program that resets the environment, as sudo does, and closes all: it is lost, as documented", func(ctx SpecContext) {
		gate := bear(ctx, "hole", `exit if fork; POSIX::setsid(); my $middle = $$; exit if fork; 1 while getppid() == $middle;
			POSIX::close($_) for 3 .. 255; exec "env", "-i", "cat", $ARGV[0]`)
		Expect(stage.Run("monitor", "list").Status).To(Equal(harness.Status{}))
		expectRemoved(ctx, "hole", noProcess{})
		Expect(readers{gate}.Held()).To(BeTrue(), "the spec proves nothing: the process has ended")
	}, limit)

	It("a daemon is born that has removed its environment, and holds the lease: the runtime is unknown", func(ctx SpecContext) {
		gate := bear(ctx, "reset", `exit if fork; POSIX::setsid(); exit if fork; delete $ENV{MONITOR_MARK}; exec "cat", $ARGV[0]`)
		Eventually(ctx, func() string { return stage.Run("monitor", "list").Stdout }).Should(MatchRegexp(`(?m)^reset +unknown `))
		expectKept(ctx, "reset", readers{gate})
		Expect(gate.Close()).To(Succeed())
		expectRemoved(ctx, "reset", noProcess{})
	}, limit)
})

// came waits until a number of processes reads the gate.
func came(ctx context.Context, number int) {
	GinkgoHelper()
	Eventually(ctx, func() (string, error) {
		text, err := os.ReadFile(stage.Path("gate.came"))
		return string(text), err
	}).Should(HaveLen(number))
}
