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

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/internal/core"
	"github.com/gemini-monitor/gemini/internal/mark"
)

// A World is the kernel of this machine. Its processes are actors.
type World struct {
	kernel   func() core.Kernel
	listener *net.UnixListener
	children map[int]*os.Process // our own, not reaped yet
	actors   map[int]*conversation
	oracles  []*Oracle // of our own children and all theirs
	mark     string
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
	gomega.Expect(err).NotTo(gomega.HaveOccurred())
	ginkgo.DeferCleanup(os.RemoveAll, dir)
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Net: "unix", Name: filepath.Join(dir, "s")})
	gomega.Expect(err).NotTo(gomega.HaveOccurred())
	w := &World{
		kernel: open, listener: listener, mark: mark.New(),
		children: make(map[int]*os.Process), actors: make(map[int]*conversation),
	}
	ginkgo.DeferCleanup(w.end)
	return w
}

// end closes the conversations with all actors, which ends the actors.
func (w *World) end(ctx ginkgo.SpecContext) {
	w.listener.Close()
	for _, actor := range w.actors {
		actor.Close()
	}
	for _, child := range w.children {
		_, err := child.Wait()
		gomega.Expect(err).NotTo(gomega.HaveOccurred())
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
	gomega.Expect(w.listener.SetDeadline(time.Now().Add(Limit))).To(gomega.Succeed())
	conn, err := w.listener.Accept()
	gomega.Expect(err).NotTo(gomega.HaveOccurred(), "actor %d does not come", pid)
	w.actors[pid] = &conversation{conn, bufio.NewScanner(conn)}
	gomega.Expect(w.actors[pid].answer()).To(gomega.Equal(pid), "another actor came")
	return pid
}

// raise starts an actor as our own child.
func (w *World) raise() int {
	process, o := start(Cue{
		Argv: []string{Self()},
		env:  []string{partVariable + "=actor", stageVariable + "=" + w.listener.Addr().String(), mark.Variable + "=" + w.mark},
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
	gomega.Expect(err).NotTo(gomega.HaveOccurred())
}

// answer reads a line: "ok" and perhaps a number.
func (c *conversation) answer() (number int) {
	gomega.Expect(c.SetDeadline(time.Now().Add(Limit))).To(gomega.Succeed())
	gomega.Expect(c.lines.Scan()).To(gomega.BeTrue(), "the actor is silent: %v", c.lines.Err())
	words := strings.Fields(c.lines.Text())
	gomega.Expect(words).To(gomega.ContainElement("ok"))
	if len(words) == 1 {
		return 0
	}
	number, err := strconv.Atoi(words[1])
	gomega.Expect(err).NotTo(gomega.HaveOccurred())
	return number
}

// Exit implements [conformance.World].
func (w *World) Exit(pid int) {
	actor := w.actors[pid]
	actor.say("exit")
	gomega.Expect(actor.SetDeadline(time.Now().Add(Limit))).To(gomega.Succeed())
	gomega.Expect(actor.lines.Scan()).To(gomega.BeFalse(), "an actor that was to exit answers %q", actor.lines.Text())
	gomega.Expect(actor.lines.Err()).NotTo(gomega.HaveOccurred())
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
	gomega.Expect(err).NotTo(gomega.HaveOccurred())
	delete(w.children, pid)
}

// Setsid implements [conformance.World].
func (w *World) Setsid(pid int) { w.order(pid, "setsid") }

// Setpgid implements [conformance.World].
func (w *World) Setpgid(pid int) { w.order(pid, "setpgid") }

// Exec implements [conformance.World].
func (w *World) Exec(pid int) { gomega.Expect(w.order(pid, "exec")).To(gomega.Equal(pid)) }

// Mark implements [conformance.World].
func (w *World) Mark() string { return w.mark }

// Meanwhile implements [conformance.World].
func (w *World) Meanwhile(do func()) (wait func()) {
	done := make(chan struct{})
	go func() {
		defer ginkgo.GinkgoRecover()
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
