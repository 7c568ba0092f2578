//go:build darwin || linux

package harness

import (
	"fmt"
	"slices"
	"strings"
)

// The commands of this file are words for Stage.Start. They make trees by fork without exec, which a Go program
// cannot do. The leaves are puppets: the tree stays until they exit. The commands
// need perl. Stage.Command skips the test where there is none.

// Chain returns the words of a command that makes a chain of orphans: each process forks the next
// and exits. The last one is the puppet leaf. If sessions is true, each one leads a
// session of its own. The command needs perl: without it the test is skipped.
func Chain(generations int, sessions bool, leaf string) []string {
	apart := ""
	if sessions {
		apart = "POSIX::setsid()"
	}
	return bare(`for (1..%d) { my $p = fork; POSIX::_exit(0) if $p; %s } exec "puppet", "%s"`, generations, apart, leaf)
}

// Line returns the words of a command that makes a line of living processes: each one waits for the
// next and ends as that did, by the same exit code or signal. The last one is the puppet leaf.
// The command needs perl: without it the test is skipped.
func Line(generations int, leaf string) []string {
	return bare(`for (1..%d) { my $p = fork; if ($p) { waitpid $p, 0; my $s = $? & 127; `+
		`if ($s) { kill $s, $$; POSIX::_exit(128 + $s) } POSIX::_exit($? >> 8) } } exec "puppet", "%s"`, generations, leaf)
}

// Fan returns the words of a command that forks count children and exits. The orphans are the
// puppets leaf-1, leaf-2 and so on. The command needs perl: without it the test is skipped.
func Fan(count int, leaf string) []string {
	return bare(`for (1..%d) { my $p = fork; exec "puppet", "%s-$_" unless $p }`, count, leaf)
}

// Daemon returns the words of a command that becomes a daemon: it forks, leads a session, forks
// again and replaces descriptors 0, 1 and 2. The daemon is the puppet leaf; the
// command itself has exited when it greets. It needs perl: without it the test is skipped.
func Daemon(leaf string) []string {
	return bare(`POSIX::_exit(0) if fork; POSIX::setsid(); POSIX::_exit(0) if fork; chdir "/"; `+
		`open STDIN, "<", "/dev/null"; open STDOUT, ">", "/dev/null"; open STDERR, ">", "/dev/null"; exec "puppet", "%s"`, leaf)
}

// bare returns the command line of a perl script.
func bare(script string, args ...any) []string {
	return []string{"perl", "-e", bareForks + fmt.Sprintf(script, args...)}
}

// bareForks begins each script of this file.
const bareForks = "# a tree of the harness\nuse POSIX; "

// needPerl skips the test if words have such a script and perl is not in the PATH of the stage.
func (s *Stage) needPerl(words []string) {
	s.t.Helper()
	if !slices.ContainsFunc(words, func(word string) bool { return strings.HasPrefix(word, bareForks) }) {
		return
	}
	if _, err := s.lookPath("perl"); err != nil {
		s.t.Skipf("Chain, Line, Fan and Daemon need perl: %v", err)
	}
}
