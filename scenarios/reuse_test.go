//go:build linux

package scenarios_test

import (
	"fmt"
	"os"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"golang.org/x/sys/unix"

	"github.com/gemini-monitor/gemini/harness"
)

// The kernel assigns a PID again. In a PID namespace a process can choose the next PID
// (ns_last_pid), so the specs make that happen within milliseconds.
var _ = Describe("A stranger with the PID of", Label("linux", "namespaces"), func() {
	// Runs in a PID namespace of its own: starts @ARGV, sets $gone by a line of perl to
	// the PID of a reaped process, and forks until a child has that PID. The child leads
	// a group of that number and inherits nothing from @ARGV.
	reuse := func(learn string) string {
		return `
		$| = 1;
		my $owner = fork // die "fork: $!";
		if (!$owner) { exec @ARGV or die "exec: $!" }
		my $gone;
		` + learn + `
		for (1..100) {
			open my $last, ">", "/proc/sys/kernel/ns_last_pid" or die "ns_last_pid: $!";
			syswrite $last, $gone - 1;
			close $last;
			my $stranger = fork // die "fork: $!";
			if (!$stranger) { exit if $$ != $gone; setpgrp; print "reused\n"; sleep 1000 }
			last if $stranger == $gone;
			waitpid $stranger, 0;
		}
		sleep 1000`
	}
	theOwner := `$gone = waitpid $owner, 0;`

	It("its dead owner does not keep the runtime", func(ctx SpecContext) {
		namespace(ctx)
		job, gate := startReuse(ctx, reuse(theOwner), monitor.Run("owner", "cat", stage.Path("gate")))
		expectKept(ctx, "owner", job.Oracle())
		letReuse(ctx, job, gate)
		expectRemoved(ctx, "owner", noProcess{})
	}, limit)

	It("its dead owner is not taken for it while an orphan lives", func(ctx SpecContext) {
		namespace(ctx)
		orphan := fmt.Sprintf("(setsid cat %s &) ; cat %s", stage.Path("leaf"), stage.Path("gate"))
		makeFIFO("leaf")
		job, gate := startReuse(ctx, reuse(theOwner), monitor.Run("orphan", "sh", "-c", orphan))
		leaf := openGate(ctx, "leaf")
		expectKept(ctx, "orphan", job.Oracle())
		letReuse(ctx, job, gate)
		expectKept(ctx, "orphan", job.Oracle())
		Expect(leaf.Close()).To(Succeed())
		expectRemoved(ctx, "orphan", noProcess{})
	}, limit)

	It("a dead member, and with the number of its group, is not taken for it when the owner goes", func(ctx SpecContext) {
		namespace(ctx)
		makeFIFO("hold")
		makeFIFO("who")
		owner := `my $member = fork // die "fork: $!";
			if (!$member) { setpgrp; exec "cat", $ARGV[0] or die "exec: $!" }
			waitpid $member, 0;
			open my $who, ">", $ARGV[1] or die "$ARGV[1]: $!";
			print $who "$member\n";
			close $who;
			exec "cat", $ARGV[2] or die "exec: $!"`
		theMember := fmt.Sprintf(`open my $who, "<", "%s" or die "who: $!"; $gone = <$who> + 0;`, stage.Path("who"))
		job, gate := startReuse(ctx, reuse(theMember),
			monitor.Run("member", perl(), "-e", owner, stage.Path("gate"), stage.Path("who"), stage.Path("hold")))
		expectKept(ctx, "member", job.Oracle()) // the monitor knows the member then
		letReuse(ctx, job, gate)
		hold := openGate(ctx, "hold")
		expectKept(ctx, "member", job.Oracle())
		Expect(hold.Close()).To(Succeed())
		expectRemoved(ctx, "member", noProcess{})
	}, limit)
})

var _ = Describe("When the PIDs have started from the beginning again", Label("linux", "namespaces"), func() {
	It("a child with a lower PID than its parent keeps the runtime", func(ctx SpecContext) {
		namespace(ctx)
		// The parent prints its PID, forks the child and exits.
		low := `open my $last, ">", "/proc/sys/kernel/ns_last_pid" or die "ns_last_pid: $!";
			syswrite $last, 300;
			close $last;
			my $child = fork // die "fork: $!";
			if (!$child) { exec "cat", @ARGV or die "exec: $!" }
			print $child < $$ ? "lower\n" : "not lower\n"`
		high := `open my $last, ">", "/proc/sys/kernel/ns_last_pid" or die "ns_last_pid: $!";
			syswrite $last, 5000;
			close $last;
			system @ARGV;
			sleep 1000`
		job, gate := startReuse(ctx, high, monitor.Run("low", perl(), "-e", low, stage.Path("gate")))
		Eventually(ctx, job.Output).Should(HavePrefix("lower"), "the spec proves nothing")
		expectKept(ctx, "low", job.Oracle())
		Expect(gate.Close()).To(Succeed())
		expectRemoved(ctx, "low", noProcess{})
	}, limit)
})

// noProcess is the witness after a script has reaped the last process.
type noProcess struct{}

func (noProcess) Held() bool { return false }

func (noProcess) Gone() <-chan struct{} {
	gone := make(chan struct{})
	close(gone)
	return gone
}

var unshare = []string{"unshare", "--pid", "--fork", "--kill-child", "--mount-proc"}

// namespace skips the spec if no PID namespace can be made.
func namespace(ctx SpecContext) {
	perl()
	if os.Geteuid() != 0 {
		Skip("a PID namespace of its own needs root")
	}
	try := append(unshare[:len(unshare):len(unshare)], "sh", "-c", "echo 1000 >/proc/sys/kernel/ns_last_pid")
	if result := stage.Run(try...); result.Status != (harness.Status{}) {
		Skip("no PID namespace with ns_last_pid can be made: " + strings.TrimSpace(result.Stderr))
	}
}

// startReuse starts the script in a namespace around argv, which ends when the
// gate is closed.
func startReuse(ctx SpecContext, script string, argv []string) (*harness.Job, *os.File) {
	GinkgoHelper()
	makeFIFO("gate")
	job := stage.Start(append(append(unshare[:len(unshare):len(unshare)], perl(), "-e", script), argv...)...)
	return job, openGate(ctx, "gate")
}

// letReuse opens the gate and returns when a stranger has the PID. The monitor is
// stopped meanwhile, so it does not read the table in between.
func letReuse(ctx SpecContext, job *harness.Job, gate *os.File) {
	GinkgoHelper()
	ours, err := unix.Getsid(job.PID())
	Expect(err).NotTo(HaveOccurred())
	var pids []int
	for _, pid := range watchers(ctx) {
		if session, err := unix.Getsid(pid); err == nil && session != ours {
			pids = append(pids, pid)
		}
	}
	resume := pause(pids...)
	Expect(gate.Close()).To(Succeed())
	Eventually(ctx, job.Output).Should(ContainSubstring("reused"), "no stranger got the PID: the spec proves nothing")
	resume()
}
