//go:build darwin || linux

package scenarios_test

import (
	"os/exec"
	"regexp"
	"runtime"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/harness"
)

// parent is a process with unusual signals, descriptors and limits, which becomes a
// command.
const parent = `
	use POSIX; use Fcntl;
	$SIG{$_} = 'IGNORE' for qw(HUP QUIT ALRM TERM USR1 PIPE CHLD TSTP TTOU WINCH URG XFSZ);
	sigprocmask(SIG_BLOCK, POSIX::SigSet->new(SIGINT, SIGUSR2, SIGCHLD, SIGTTIN, SIGABRT));
	$^F = 100; open(my $file, '<', '/etc/passwd'); open(my $log, '>>', $ARGV[0]); shift;
	fcntl($file, F_SETFL, O_NONBLOCK);
	umask 0027; setpriority(0, 0, 5);
	exec @ARGV`

// witness is a program that prints what exec keeps: the action and the blocking of each
// signal, the flags of descriptors, group, umask and priority.
const seen = `
	use POSIX; use Fcntl;
	my $blocked = POSIX::SigSet->new; sigprocmask(SIG_BLOCK, POSIX::SigSet->new, $blocked);
	for (1 .. 31) {
		my $action = POSIX::SigAction->new; sigaction($_, undef, $action);
		printf "signal %d: %s %d\n", $_, $action->handler, $blocked->ismember($_);
	}
	for (0 .. 60) {
		open(my $fd, "<&=", $_) or next;
		printf "descriptor %d: %x %x\n", $_, fcntl($fd, F_GETFL, 0), fcntl($fd, F_GETFD, 0);
		POSIX::dup2($_, $_);
	}
	printf "umask %o, priority %d, group %d\n", umask, getpriority(0, 0), getpgrp == $$;`

var _ = Describe("A command in a runtime", ours, func() {
	// asPlain compares what a command prints with what it prints when the same parent
	// execs it without a runtime.
	asPlain := func(ctx SpecContext, run []string, volatile string, chain, command []string) {
		GinkgoHelper()
		for _, program := range []string{chain[0], command[0]} {
			if _, err := exec.LookPath(program); err != nil {
				Skip(program + " is not installed")
			}
		}
		output := func(command []string) string {
			job := stage.Start(append(chain[:len(chain):len(chain)], command...)...)
			Expect(job.Wait()).To(Equal(harness.Status{}), job.Output())
			return regexp.MustCompile(volatile).ReplaceAllString(job.Output(), "")
		}
		plain := output(command)
		Expect(strings.Count(plain, "\n")).To(BeNumerically(">", 10), plain)
		Expect(strings.Split(output(slices.Concat(run, command)), "\n")).To(Equal(strings.Split(plain, "\n")))
		expectEmptyStore(ctx)
	}
	chain := func() []string { return []string{"perl", "-e", parent, stage.Path("log")} }

	It("has the signals, descriptors, umask and priority that a plain exec gives it", func(ctx SpecContext) {
		asPlain(ctx, monitor.Run("signals"), `^$`, chain(), []string{"perl", "-e", seen})
	}, limit)

	It("has them in a child of run --wait too, which leads no group", func(ctx SpecContext) {
		asPlain(ctx, waited("signals"), `, group \d`, chain(), []string{"perl", "-e", seen})
	}, limit)

	It("has the limits that a plain exec gives it", func(ctx SpecContext) {
		limited := append(chain(), "sh", "-c", `ulimit -n 99; ulimit -c 0; ulimit -S -f 100000; exec "$@"`, "sh")
		asPlain(ctx, monitor.Run("limits"), `^$`, limited, []string{"bash", "-c", "ulimit -S -a; ulimit -H -a"})
	}, limit)

	It("has the attributes in /proc that a plain exec gives it", Label("linux"), func(ctx SpecContext) {
		// What names the process or its parent, counts or measures. The lease has
		// descriptor 100, for which the kernel makes a larger table.
		volatile := `(?m)^(Tgid|P?Pid|FDSize|NS\w+|Vm\w+|Rss\w+|SigQ|\w+_ctxt_switches):.*\n`
		if runtime.GOOS != "linux" {
			Skip("there is no /proc")
		}
		asPlain(ctx, monitor.Run("status"), volatile, chain(), []string{"cat", "/proc/self/status"})
		asPlain(ctx, waited("status"), volatile, chain(), []string{"cat", "/proc/self/status"})
		asPlain(ctx, monitor.Run("files"), `^$`, chain(), []string{"cat", "/proc/self/limits", "/proc/self/timerslack_ns",
			"/proc/self/oom_score_adj", "/proc/self/personality", "/proc/self/cgroup", "/proc/self/coredump_filter"})
	}, limit)
})
