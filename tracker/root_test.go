//go:build darwin || linux

package tracker

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// A root is the first process of a tree that a spec makes. Its processes stop
// at gates and say one line when they have got somewhere, so that a spec orders
// events without a clock.
type root struct {
	*os.Process
	oracle *oracle
	gates  []*os.File // our ends; closing one lets all through who wait there
	said   *os.File
	lines  *bufio.Scanner
	reaped bool
}

// prelude is what each perl script may use. Perl forks without exec, which Go
// cannot; gate 0 is descriptor 4. A line is one write, so lines do not mix.
const prelude = `
	use strict; use warnings; use POSIX ();
	sub wait_at { open my $gate, "<&", 4 + $_[0] or POSIX::_exit(9); sysread $gate, my $byte, 1 }
	sub report { syswrite STDOUT, "@_\n" }
	sub child(&) { my $pid = fork; die unless defined $pid; return $pid if $pid; $_[0]->(); POSIX::_exit(0) }
`

// perl starts a script with some gates. The spec is skipped where perl is
// missing.
func perl(gates int, script string, args ...string) *root {
	return lead(gates, perlCue(script, args...))
}

func perlCue(script string, args ...string) cue {
	return cue{argv: append([]string{"perl", "-e", prelude + script}, args...)}
}

// ownGroup has a process lead a group, as a shell's job does.
func ownGroup() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// played is a part as the root of a tree.
func played(part string, env ...string) cue {
	return cue{argv: []string{self()}, env: append(env, partVariable+"="+part)}
}

// lead starts a program as the root of a tree.
func lead(gates int, c cue) *root {
	GinkgoHelper()
	path, err := exec.LookPath(c.argv[0])
	if err != nil {
		Skip(c.argv[0] + " is not installed")
	}
	said, out, err := os.Pipe()
	Expect(err).NotTo(HaveOccurred())
	r := &root{said: said, lines: bufio.NewScanner(said)}
	c.argv[0], c.out = path, out
	for range gates {
		waits, opens, err := os.Pipe()
		Expect(err).NotTo(HaveOccurred())
		r.gates, c.extra = append(r.gates, opens), append(c.extra, waits)
	}
	r.Process, r.oracle = start(c)
	for _, given := range append(c.extra, out) {
		Expect(given.Close()).To(Succeed())
	}
	DeferCleanup(r.end)
	return r
}

// end lets everybody through all gates. Where a spec ended early, the root may be
// stopped or wait for something else.
func (r *root) end(ctx SpecContext) {
	for gate := range r.gates {
		r.open(gate)
	}
	if !r.reaped {
		Expect(r.Kill()).To(Or(Succeed(), MatchError(os.ErrProcessDone)))
	}
	r.reap()
	r.oracle.end(ctx)
	r.said.Close()
}

// open lets through who waits at a gate now or later.
func (r *root) open(gate int) { r.gates[gate].Close() }

// reap waits for the end of the root.
func (r *root) reap() {
	if !r.reaped {
		_, err := r.Wait()
		Expect(err).NotTo(HaveOccurred())
		r.reaped = true
	}
}

// line returns the next thing that the processes of the tree said.
func (r *root) line() string {
	GinkgoHelper()
	Expect(r.said.SetReadDeadline(time.Now().Add(limit))).To(Succeed())
	Expect(r.lines.Scan()).To(BeTrue(), "nothing more is said: %v", r.lines.Err())
	return r.lines.Text()
}

// atoi reads a PID that somebody said.
func atoi(text string) int {
	GinkgoHelper()
	number, err := strconv.Atoi(text)
	Expect(err).NotTo(HaveOccurred())
	return number
}

func itoa(number int) string { return strconv.Itoa(number) }

// continueProcess lets a stopped process go on.
func continueProcess(pid int) { Expect(syscall.Kill(pid, syscall.SIGCONT)).To(Succeed()) }

func (r *root) String() string { return fmt.Sprintf("root %d", r.Pid) }
