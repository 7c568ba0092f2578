package harness

import "fmt"

// The shapes are commands that grow a tree of bare forks, which no Go program
// can make: no exec in between, and no parent that waits to be looked at. Each
// ends in puppets, which hold the tree as it is until they are told to go on.
// They take perl.

// Chain is a line of processes of which each makes the next and is gone; the
// last is the puppet leaf. If sessions is set, each leads a session of its own.
func Chain(generations int, sessions bool, leaf string) []string {
	apart := ""
	if sessions {
		apart = "POSIX::setsid()"
	}
	return bare(`for (1..%d) { my $p = fork; POSIX::_exit(0) if $p; %s } exec "puppet", "%s"`, generations, apart, leaf)
}

// Line is a line of living processes of which each waits for the next; the last
// is the puppet leaf.
func Line(generations int, leaf string) []string {
	return bare(`for (1..%d) { my $p = fork; if ($p) { waitpid $p, 0; POSIX::_exit($? >> 8) } } exec "puppet", "%s"`, generations, leaf)
}

// Fan is a process that has gone and count orphans of it, the puppets leaf-1,
// leaf-2 and so on.
func Fan(count int, leaf string) []string {
	return bare(`for (1..%d) { my $p = fork; exec "puppet", "%s-$_" unless $p }`, count, leaf)
}

// Daemon is how daemons have always started: fork, lead a session, fork again,
// and let go of the terminal. The puppet leaf is the daemon; the command itself
// has gone by then.
func Daemon(leaf string) []string {
	return bare(`POSIX::_exit(0) if fork; POSIX::setsid(); POSIX::_exit(0) if fork; chdir "/"; `+
		`open STDIN, "<", "/dev/null"; open STDOUT, ">", "/dev/null"; open STDERR, ">", "/dev/null"; exec "puppet", "%s"`, leaf)
}

func bare(script string, args ...any) []string {
	return []string{"perl", "-e", "use POSIX; " + fmt.Sprintf(script, args...)}
}
