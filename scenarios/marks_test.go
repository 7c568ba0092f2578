//go:build linux

package scenarios_test

import (
	"context"
	"os"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"golang.org/x/sys/unix"
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
	// contain starts a runtime in a PID namespace whose init lives on.
	contain := func(name, script string, more ...string) {
		container := append(unshare[:len(unshare):len(unshare)], "sh", "-c", `"$@"; sleep 1000`, "init")
		stage.Start(append(container, monitor.Run(name, append([]string{perl(), "-e", closesAll + script}, more...)...)...)...)
	}

	DescribeTable("what its environment alone connects with a runtime keeps it", func(ctx SpecContext, script string, daemons int) {
		namespace(ctx)
		makeFIFO("gate")
		contain("daemons", script, stage.Path("gate"))
		gate := openGate(ctx, "gate")
		came(ctx, daemons)
		Eventually(ctx, func() int { return joined("daemons") }).Should(BeNumerically(">=", daemons))
		expectKept(ctx, "daemons", readers{gate})
		Expect(gate.Close()).To(Succeed())
		expectRemoved(ctx, "daemons", noProcess{})
	},
		Entry("twenty daemons", limit, `daemon() for 1 .. 20`, 20),
		Entry("a process that leads its session", limit, `leader()`, 1),
		Entry("fifty daemons in a storm of 2,000 processes", limit, `for (1 .. 50) { for (1 .. 40) { POSIX::_exit(0) unless fork } daemon(); 1 while waitpid(-1, POSIX::WNOHANG()) > 0 }`, 50),
	)

	It("a daemon of a runtime inside another keeps both", func(ctx SpecContext) {
		namespace(ctx)
		makeFIFO("gate")
		words := append([]string{perl(), "-e", closesAll + `exec @ARGV[1 .. $#ARGV]`, stage.Path("gate")},
			monitor.Run("inner", perl(), "-e", closesAll+`daemon()`, stage.Path("gate"))...)
		container := append(unshare[:len(unshare):len(unshare)], "sh", "-c", `"$@"; sleep 1000`, "init")
		stage.Start(append(container, monitor.Run("outer", words...)...)...)
		gate := openGate(ctx, "gate")
		expectKept(ctx, "outer", readers{gate})
		expectKept(ctx, "inner", readers{gate})
		Expect(gate.Close()).To(Succeed())
		expectRemoved(ctx, "inner", noProcess{})
		expectRemoved(ctx, "outer", noProcess{})
	}, limit)

	It("a process whose parent is no member, and which has a copy of the variable, does not count", func(ctx SpecContext) {
		namespace(ctx)
		makeFIFO("gate")
		makeFIFO("end")
		makeFIFO("copy")
		// As what systemd --user or an editor's server starts after the variable was imported.
		copied := `"$@" &
			sh -c 'MONITOR_MARK=$(cat copy) setsid cat "$0" & wait' "$GATE" & wait; sleep 1000`
		stage.Setenv("GATE", stage.Path("gate"))
		container := append(unshare[:len(unshare):len(unshare)], "sh", "-c", copied, "init")
		stage.Start(append(container, monitor.Run("copied", "sh", "-c", `echo $MONITOR_MARK >copy; cat end`)...)...)
		end := openGate(ctx, "end")
		gate := openGate(ctx, "gate")
		expectKept(ctx, "copied", readers{end})
		Expect(end.Close()).To(Succeed())
		expectRemoved(ctx, "copied", noProcess{})
		Expect(readers{gate}.Held()).To(BeTrue(), "the spec proves nothing: the other process has ended")
	}, limit)
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
		gate := bear(ctx, "orphaned", `daemon() for 1 .. 10`)
		came(ctx, 10)
		Expect(gemini.Members(ctx, "orphaned")).To(HaveLen(10))
		expectKept(ctx, "orphaned", readers{gate})
		Expect(gate.Close()).To(Succeed())
		expectRemoved(ctx, "orphaned", noProcess{})
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
