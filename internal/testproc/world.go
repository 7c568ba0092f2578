//go:build darwin || linux

package testproc

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/internal/core"
)

// A World is the kernel that runs us. Its processes are actors.
type World struct {
	kernel   func() core.Kernel
	listener *net.UnixListener
	children map[int]*os.Process // our own, not reaped yet
	actors   map[int]*conversation
	oracles  []*Oracle // of our own children and all theirs
}

// A conversation is the connection to an actor. It ends with the process.
type conversation struct {
	net.Conn
	lines *bufio.Scanner
}

// Limit bounds what an actor does. Only a failure uses it up.
const Limit = time.Minute

// NewWorld returns a world for one spec.
func NewWorld(open func() core.Kernel) *World {
	// Not in the spec's own directory: the path of a socket is short on macOS.
	dir, err := os.MkdirTemp("", "t")
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(os.RemoveAll, dir)
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Net: "unix", Name: filepath.Join(dir, "s")})
	Expect(err).NotTo(HaveOccurred())
	w := &World{
		kernel: open, listener: listener,
		children: make(map[int]*os.Process), actors: make(map[int]*conversation),
	}
	DeferCleanup(w.end)
	return w
}

// end lets go of all actors, which ends them.
func (w *World) end(ctx SpecContext) {
	w.listener.Close()
	for _, actor := range w.actors {
		actor.Close()
	}
	for _, child := range w.children {
		_, err := child.Wait()
		Expect(err).NotTo(HaveOccurred())
	}
	for _, o := range w.oracles {
		o.end(ctx)
	}
}

// Open implements [conformance.World].
func (w *World) Open() core.Kernel {
	return w.kernel()
}

// Spawn implements [conformance.World].
func (w *World) Spawn(parent int) (pid int) {
	if parent == 0 {
		pid = w.raise()
	} else {
		pid = w.order(parent, "spawn")
	}
	Expect(w.listener.SetDeadline(time.Now().Add(Limit))).To(Succeed())
	conn, err := w.listener.Accept()
	Expect(err).NotTo(HaveOccurred(), "actor %d does not come", pid)
	w.actors[pid] = &conversation{conn, bufio.NewScanner(conn)}
	Expect(w.actors[pid].answer()).To(Equal(pid), "another actor came")
	return pid
}

// raise starts an actor as our own child.
func (w *World) raise() int {
	process, o := start(Cue{
		Argv: []string{Self()},
		env:  []string{partVariable + "=actor", stageVariable + "=" + w.listener.Addr().String()},
	})
	w.children[process.Pid] = process
	w.oracles = append(w.oracles, o)
	return process.Pid
}

// order has an actor do something and returns the number it answers.
func (w *World) order(pid int, words ...any) int {
	w.actors[pid].say(words...)
	return w.actors[pid].answer()
}

func (c *conversation) say(words ...any) {
	_, err := fmt.Fprintln(c, words...)
	Expect(err).NotTo(HaveOccurred())
}

// answer reads a line: "ok" and perhaps a number.
func (c *conversation) answer() (number int) {
	Expect(c.SetDeadline(time.Now().Add(Limit))).To(Succeed())
	Expect(c.lines.Scan()).To(BeTrue(), "the actor is silent: %v", c.lines.Err())
	words := strings.Fields(c.lines.Text())
	Expect(words).To(ContainElement("ok"))
	if len(words) == 1 {
		return 0
	}
	number, err := strconv.Atoi(words[1])
	Expect(err).NotTo(HaveOccurred())
	return number
}

// Exit implements [conformance.World].
func (w *World) Exit(pid int) {
	actor := w.actors[pid]
	actor.say("exit")
	Expect(actor.SetDeadline(time.Now().Add(Limit))).To(Succeed())
	Expect(actor.lines.Scan()).To(BeFalse(), "an actor that was to exit says %q", actor.lines.Text())
	Expect(actor.lines.Err()).NotTo(HaveOccurred())
	actor.Close()
	delete(w.actors, pid)
}

// Reap implements [conformance.World].
func (w *World) Reap(parent, pid int) {
	if parent != 0 {
		w.order(parent, "reap", pid)
		return
	}
	_, err := w.children[pid].Wait()
	Expect(err).NotTo(HaveOccurred())
	delete(w.children, pid)
}

// Setsid implements [conformance.World].
func (w *World) Setsid(pid int) { w.order(pid, "setsid") }

// Setpgid implements [conformance.World].
func (w *World) Setpgid(pid int) { w.order(pid, "setpgid") }

// Exec implements [conformance.World].
func (w *World) Exec(pid int) { Expect(w.order(pid, "exec")).To(Equal(pid)) }

// Meanwhile implements [conformance.World].
func (w *World) Meanwhile(do func()) (wait func()) {
	done := make(chan struct{})
	go func() {
		defer GinkgoRecover()
		defer close(done)
		do()
	}()
	return func() { <-done }
}

// Reuse implements [conformance.World].
func (w *World) Reuse(pid int) (exit func(), err error) { return ReusePID(pid) }

// ReusePID asks Linux for a process with a certain PID, which needs privilege.
// Only perl can both fork and do that. It waits for two ticks of the clock
// first, so that the new process has a start time of its own.
func ReusePID(pid int) (exit func(), err error) {
	r := Perl(1, `
		if ($^O ne "linux") { report("only Linux lets us choose a PID"); exit }
		my $tick = (POSIX::times())[0];
		1 while (POSIX::times())[0] < $tick + 2;
		my $tids = pack("i", $ARGV[0]);
		my $how = pack("Q11", 0, 0, 0, 0, 17, 0, 0, 0, unpack("Q", pack("P", $tids)), 1, 0);
		my $child = syscall(435, $how, length $how); # clone3
		if ($child == 0) { wait_at(0); POSIX::_exit(0) }
		report($child == $ARGV[0] ? "reused" : $!{EEXIST} ? "refused" : "clone3: $!");
		wait;
	`, strconv.Itoa(pid))
	switch line := r.Line(); line {
	case "reused":
		return func() { r.Open(0); r.Reap() }, nil
	case "refused":
		return nil, nil
	default:
		return nil, errors.New(line)
	}
}
