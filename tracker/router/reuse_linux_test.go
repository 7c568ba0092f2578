package router

import (
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/internal/testproc"
)

// reuse is a perl script of a stranger with two children that lead trees of their own. In each
// of some turns one of the three makes a process, which asks, ends and is reaped. At once
// another one of them makes a process with the same PID (clone3 with set_tid), which asks too.
const reuse = `
	my ($turns, $apart) = @ARGV; # apart: not within one unit of start times
	my %to; # the pipe to each maker
	sub again {
		my $tick = (POSIX::times())[0];
		1 while $apart && (POSIX::times())[0] < $tick + 2;
		my $tids = pack("i", $_[0]);
		my $how = pack("Q11", 0, 0, 0, 0, 17, 0, 0, 0, unpack("Q", pack("P", $tids)), 1, 0);
		my $child = syscall(435, $how, length $how);
		if ($child == 0) { report("second $$"); wait_at($_[1]); POSIX::_exit(0) }
		if ($child != $_[0]) { report("refused $!"); POSIX::_exit(1) }
		waitpid $child, 0;
	}
	sub first {
		my $gate = $_[0];
		my $child = child { report("first $$"); wait_at($gate) };
		waitpid $child, 0;
		return $child;
	}
	pipe my $done, my $does;
	sub maker {
		my ($in) = @_;
		while (sysread $in, my $order, 12) {
			my ($pid, $gate) = unpack "ll", $order;
			if ($pid) { again($pid, $gate) } else { $pid = first($gate) }
			syswrite $does, pack "l", $pid;
		}
		POSIX::_exit(0);
	}
	for my $name ("a", "b") {
		pipe my $in, my $out;
		my $pid = child { close $out; maker($in) };
		close $in; $to{$name} = $out;
		report("$name $pid");
	}
	sub has { my ($name, $pid, $gate) = @_;
		if ($name eq "-") { if ($pid) { again($pid, $gate); return $pid } return first($gate) }
		syswrite $to{$name}, pack "lll", $pid, $gate, 0;
		sysread $done, my $answer, 4;
		return unpack "l", $answer;
	}
	wait_at(0);
	for my $turn (0 .. $turns - 1) {
		my @who = (["a", "-"], ["-", "a"], ["a", "b"], ["b", "a"])[$turn % 4]->@*;
		has($who[1], has($who[0], 0, 1 + 2 * $turn), 2 + 2 * $turn);
	}
`

// turns has the makers of each turn of the script.
var turns = [][2]string{{"a", ""}, {"", "a"}, {"a", "b"}, {"b", "a"}}

var _ = withRouter("A PID that another process has at once", func(open func(...func(*Options[string])) *Router[string]) {
	It("is answered as that process", Serial, Label("reuse"), func(ctx SpecContext) {
		const rounds = 20
		r := open()
		apart := "0"
		if r.options.Unguarded {
			apart = "1" // else no start time tells the two apart
		}
		s := testproc.Perl(1+2*rounds, reuse, testproc.Itoa(rounds), apart)
		who := s.Persons(2)
		registered(ctx, r, who["a"], "a")
		registered(ctx, r, who["b"], "b")
		s.Open(0)
		reused := 0
		for turn := range rounds {
			makers := turns[turn%len(turns)]
			for which, gate := range []int{1 + 2*turn, 2 + 2*turn} {
				line := s.Line()
				if strings.HasPrefix(line, "refused") {
					Skip("no PID can be chosen: " + line) // as another user than root, or another process has it
				}
				_, number, _ := strings.Cut(line, " ")
				pid, value := testproc.Atoi(number), makers[which]
				answer := func() string { is, _ := r.Of(pid); return is }
				if r.options.Unguarded {
					Eventually(ctx, answer).Should(Equal(value), "turn %d: %s", turn, line)
				} else {
					Expect(answer()).To(Equal(value), "turn %d: %s", turn, line)
					Expect(answer()).To(Equal(value), "turn %d: %s, again", turn, line)
				}
				reused += which
				s.Open(gate)
			}
		}
		AddReportEntry("reused", reused)
	}, testproc.Patience)
})
