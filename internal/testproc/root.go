//go:build darwin || linux

package testproc

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/internal/room"
)

// A Root is the first process of a tree that a spec makes. Its processes stop
// at gates and print one line when they have got somewhere, so that a spec orders
// events without a clock.
type Root struct {
	*os.Process
	Oracle *Oracle
	gates  []*os.File // our ends; closing one opens the gate
	said   *os.File
	lines  *bufio.Scanner
	reaped bool
}

// Prelude is what each perl script may use. Perl forks without exec, which Go
// cannot; gate 0 is descriptor 4. A line is one write, so lines do not mix.
const Prelude = `
	use strict; use warnings; use POSIX ();
	sub wait_at { open my $gate, "<&", 4 + $_[0] or POSIX::_exit(9); sysread $gate, my $byte, 1 }
	sub report { syswrite STDOUT, "@_\n" }
	sub child(&) { my $pid = fork; die unless defined $pid; return $pid if $pid; $_[0]->(); POSIX::_exit(0) }
`

// Perl starts a script with some gates. The spec is skipped where perl is
// missing.
func Perl(gates int, script string, args ...string) *Root {
	return Lead(gates, PerlCue(script, args...))
}

// PerlCue is how to start a perl script.
func PerlCue(script string, args ...string) Cue {
	return Cue{Argv: append([]string{"perl", "-e", Prelude + script}, args...)}
}

// With adds settings to the environment of a cue.
func (c Cue) With(settings ...string) Cue {
	c.env = append(slices.Clip(c.env), settings...)
	return c
}

// OwnGroup makes a process lead a group, as a shell's job does.
func OwnGroup() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// Played is a part as the root of a tree.
func Played(part string, env ...string) Cue {
	return Cue{Argv: []string{Self()}, env: append(env, partVariable+"="+part)}
}

// Lead starts a program as the root of a tree.
func Lead(gates int, c Cue) *Root {
	ginkgo.GinkgoHelper()
	path, err := exec.LookPath(c.Argv[0])
	if err != nil {
		ginkgo.Skip(c.Argv[0] + " is not installed")
	}
	said, out, err := os.Pipe()
	gomega.Expect(err).NotTo(gomega.HaveOccurred())
	r := &Root{said: said, lines: bufio.NewScanner(said)}
	c.Argv[0], c.out = path, out
	for range gates {
		waits, opens, err := os.Pipe()
		gomega.Expect(err).NotTo(gomega.HaveOccurred())
		r.gates, c.extra = append(r.gates, opens), append(c.extra, waits)
	}
	r.Process, r.Oracle = start(c)
	for _, given := range append(c.extra, out) {
		gomega.Expect(given.Close()).To(gomega.Succeed())
	}
	ginkgo.DeferCleanup(r.end)
	return r
}

// end opens all gates. Where a spec ended early, the root may be
// stopped or wait for something else.
func (r *Root) end(ctx ginkgo.SpecContext) {
	for gate := range r.gates {
		r.Open(gate)
	}
	if !r.reaped {
		gomega.Expect(r.Kill()).To(gomega.Or(gomega.Succeed(), gomega.MatchError(os.ErrProcessDone)))
	}
	r.Reap()
	r.Oracle.end(ctx)
	r.said.Close()
}

// Open lets all processes through that wait at a gate, now or later.
func (r *Root) Open(gate int) { r.gates[gate].Close() }

// Reap waits for the end of the root.
func (r *Root) Reap() {
	if !r.reaped {
		_, err := r.Wait()
		gomega.Expect(err).NotTo(gomega.HaveOccurred())
		r.reaped = true
	}
}

// Line returns the next line that the processes of the tree printed.
func (r *Root) Line() string {
	ginkgo.GinkgoHelper()
	gomega.Expect(r.said.SetReadDeadline(time.Now().Add(Limit))).To(gomega.Succeed())
	gomega.Expect(r.lines.Scan()).To(gomega.BeTrue(), "the processes print no more lines: %v", r.lines.Err())
	return r.lines.Text()
}

// Persons reads n lines like "leaf 4711" and returns the PIDs by name.
func (r *Root) Persons(n int) map[string]int {
	ginkgo.GinkgoHelper()
	found := make(map[string]int)
	for range n {
		name, pid := r.Person()
		found[name] = pid
	}
	return found
}

// Person reads a line like "leaf 4711".
func (r *Root) Person() (name string, pid int) {
	ginkgo.GinkgoHelper()
	name, number, _ := strings.Cut(r.Line(), " ")
	return name, Atoi(number)
}

// RoomFor returns how many of wanted processes a spec may make here. Specs that
// make a hundred or more are Serial: the other specs of a suite need processes too.
func RoomFor(wanted int) int {
	ginkgo.GinkgoHelper()
	found, err := room.Processes(wanted)
	gomega.Expect(err).NotTo(gomega.HaveOccurred())
	gomega.Expect(found).To(gomega.BeNumerically(">", 1), "this machine has no room for a crowd")
	return found
}

// Children starts a root with wanted children, or as many as there is room for,
// and returns their PIDs in order. All of them wait at gate 0.
func Children(wanted int) (r *Root, pids []int) {
	ginkgo.GinkgoHelper()
	n := RoomFor(wanted)
	r = Perl(1, `child { report("child $$"); wait_at(0) } for 1 .. $ARGV[0]; wait_at(0)`, strconv.Itoa(n))
	return r, r.Crowd(n)
}

// Crowd reads n lines and returns the PIDs in them.
func (r *Root) Crowd(n int) (pids []int) {
	ginkgo.GinkgoHelper()
	for range n {
		_, pid := r.Person()
		pids = append(pids, pid)
	}
	slices.Sort(pids)
	return pids
}

// Atoi reads a PID that a process printed.
func Atoi(text string) int {
	ginkgo.GinkgoHelper()
	number, err := strconv.Atoi(text)
	gomega.Expect(err).NotTo(gomega.HaveOccurred())
	return number
}

// Itoa writes a PID.
func Itoa(number int) string { return strconv.Itoa(number) }

// Continue lets a stopped process go on.
func Continue(pid int) { gomega.Expect(syscall.Kill(pid, syscall.SIGCONT)).To(gomega.Succeed()) }

// String names the root by its PID.
func (r *Root) String() string { return fmt.Sprintf("root %d", r.Pid) }
