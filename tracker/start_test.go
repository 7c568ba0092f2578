//go:build darwin || linux

package tracker

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/internal/testproc"
	"github.com/gemini-monitor/gemini/tracker/process"
	"github.com/gemini-monitor/gemini/tracker/trees"
)

// A brood is a script that leaves processes behind which hold a pipe: the oracle.
type brood struct {
	cmd    *exec.Cmd
	held   *os.File
	oracle *os.File
	output *bufio.Reader
	gate   io.Closer
}

// newBrood returns a script that has not been started. Descriptor 3 is the reading end
// of a gate, 4 the writing end of the oracle.
func newBrood(script string) *brood {
	GinkgoHelper()
	gate, open, err := os.Pipe()
	Expect(err).NotTo(HaveOccurred())
	oracle, held, err := os.Pipe()
	Expect(err).NotTo(HaveOccurred())
	b := &brood{cmd: exec.Command("sh", "-c", script), held: held, oracle: oracle, gate: open}
	b.cmd.ExtraFiles = []*os.File{gate, held}
	out, err := b.cmd.StdoutPipe()
	Expect(err).NotTo(HaveOccurred())
	b.output = bufio.NewReader(out)
	DeferCleanup(func() {
		for _, c := range []io.Closer{gate, open, held, oracle, out} {
			_ = c.Close()
		}
	})
	return b
}

// start starts the script under a tracker.
func (b *brood) start(ctx context.Context, t *Tracker) *Tree {
	GinkgoHelper()
	tree, err := t.Start(ctx, b.cmd)
	Expect(err).NotTo(HaveOccurred())
	Expect(b.held.Close()).To(Succeed())
	return tree
}

// gone reports whether no process holds the oracle. It waits for that until a deadline.
func (b *brood) gone() bool {
	GinkgoHelper()
	_, err := io.Copy(io.Discard, b.oracle)
	return err == nil
}

// racers are what the race is about: two that outlive their parent, which ends at
// once, one of them in a session of its own.
const racers = `cat <&3 >/dev/null & (perl -MPOSIX -e 'POSIX::setsid(); exec "cat"' <&3 >/dev/null &); exit 0`

var _ = withTracker("A command that is started by a tracker", func(open func() *Tracker) {
	for _, reaped := range []bool{true, false} {
		It(fmt.Sprintf("is never empty while one that it left lives (waited for: %t)", reaped), func(ctx SpecContext) {
			t := open()
			b := newBrood(racers)
			tree := b.start(ctx, t)
			wait := func() { Expect(b.cmd.Wait()).To(Succeed()) }
			if reaped {
				wait()
			} else {
				defer wait()
			}
			for range 20 {
				v, err := tree.Check(ctx)
				Expect(v).NotTo(Equal(trees.Empty), "error %v", err)
			}
			ended := make(chan error, 1)
			go func() { ended <- tree.Wait(ctx) }()
			Consistently(ended, "100ms").ShouldNot(Receive())
			Expect(b.gate.Close()).To(Succeed())
			Expect(b.gone()).To(BeTrue())
			Eventually(ctx, ended).Should(Receive(BeNil()))
			Expect(tree.Check(ctx)).To(Equal(trees.Empty))
		}, testproc.Patience)
	}

	It("beats the race each time", Label("stress"), func(ctx SpecContext) {
		t := open()
		for range 12 {
			b := newBrood(racers)
			tree := b.start(ctx, t)
			v, err := tree.Check(ctx)
			Expect(v).NotTo(Equal(trees.Empty), "error %v", err)
			Expect(b.cmd.Wait()).To(Succeed())
			v, err = tree.Check(ctx)
			Expect(v).NotTo(Equal(trees.Empty), "error %v", err)
			Expect(b.gate.Close()).To(Succeed())
			Expect(tree.Wait(ctx)).To(Succeed())
			Expect(b.gone()).To(BeTrue())
			Expect(tree.Close()).To(Succeed())
		}
	}, testproc.Patience)

	It("does not run when it cannot be followed", func(ctx SpecContext) {
		t := open()
		Expect(t.Close()).To(Succeed())
		b := newBrood("echo ran")
		Expect(t.Start(ctx, b.cmd)).Error().To(MatchError(ErrClosed))
		Expect(b.cmd.ProcessState).NotTo(BeNil(), "waited for")
		Expect(b.cmd.ProcessState.Success()).To(BeFalse())
	}, testproc.Patience)

	It("is an error when its program does not exist or cannot be run", func(ctx SpecContext) {
		t := open()
		Expect(t.Start(ctx, exec.Command("no-such-program"))).Error().To(MatchError(exec.ErrNotFound))
		Expect(t.Start(ctx, exec.Command("/no/such/program"))).Error().To(MatchError(os.ErrNotExist))
		plain := filepath.Join(GinkgoT().TempDir(), "plain")
		Expect(os.WriteFile(plain, nil, 0o600)).To(Succeed())
		Expect(t.Start(ctx, exec.Command(plain))).Error().To(MatchError(os.ErrPermission))
		Expect(t.Start(ctx, exec.Command("/etc"))).Error().To(MatchError(os.ErrPermission))
	}, testproc.Patience)

	It("can be signalled, and its members, and no other process", func(ctx SpecContext) {
		t := open()
		b := newBrood(`cat <&3 >/dev/null & echo go; read go <&3`)
		tree := b.start(ctx, t)
		Expect(b.output.ReadString('\n')).To(Equal("go\n"))
		Eventually(ctx, tree.Members).Should(HaveLen(2))
		for _, m := range tree.Members() {
			Expect(m.Signal(0)).To(Succeed())
			m.Start++ // an earlier process with its PID
			Expect(m.Signal(syscall.SIGKILL)).To(MatchError(process.ErrGone))
		}
		Expect(tree.Signal(syscall.SIGTERM)).To(Succeed())
		Expect(b.cmd.Wait()).To(MatchError(ContainSubstring("terminated")))
		Expect(tree.Wait(ctx)).To(Succeed())
		Expect(b.gone()).To(BeTrue())
		Expect(tree.Signal(syscall.SIGTERM)).To(Succeed())
	}, testproc.Patience)

	It("is empty though it has finished and was not waited for", func(ctx SpecContext) {
		t := open()
		b := newBrood(`exit 3`)
		tree := b.start(ctx, t)
		Expect(tree.Wait(ctx)).To(Succeed())
		Expect(tree.Check(ctx)).To(Equal(trees.Empty))
		Expect(t.Track(ctx, b.cmd.Process.Pid)).Error().To(MatchError(process.ErrGone))
		Expect(b.cmd.Wait()).To(MatchError("exit status 3"))
		Expect(tree.Check(ctx)).To(Equal(trees.Empty))
	}, testproc.Patience)

	It("is unknown while a process outside the table holds its lease", func(ctx SpecContext) {
		t := open()
		tree := newBrood(`exit 0`).start(ctx, t)
		other, held, err := newLease()
		Expect(err).NotTo(HaveOccurred())
		defer held.Close()
		Eventually(ctx, tree.Verdict).Should(Equal(trees.Empty))
		defer tree.origin.lease.Close()
		tree.origin.lease = other
		Expect(tree.Check(ctx)).Error().To(MatchError(ErrLeaseHeld))
		Expect(held.Close()).To(Succeed())
		Expect(tree.Check(ctx)).To(Equal(trees.Empty))
	}, testproc.Patience)
})

var _ = withTracker("A tree that begins late", func(open func() *Tracker) {
	It("is never empty with certainty", func(ctx SpecContext) {
		r := testproc.Perl(1, `report("root $$"); wait_at(0)`)
		r.Persons(1)
		tree := track(ctx, open(), r.Pid)
		Expect(tree.Check(ctx)).To(Equal(trees.Alive))
		r.Open(0)
		Expect(tree.Wait(ctx)).To(MatchError(ErrMayHaveMissed))
		v, err := tree.Check(ctx)
		Expect(err).To(MatchError(ErrMayHaveMissed))
		Expect(v).To(Equal(trees.Unknown))
		r.Reap()
		v, err = tree.Verdict()
		Expect(err).To(MatchError(ErrMayHaveMissed))
		Expect(v).To(Equal(trees.Unknown))
	}, testproc.Patience)
})

// What a command gets through Start, compared with what it gets from cmd.Start.
var _ = Describe("What a started command gets", func() {
	ways := map[string]func(*exec.Cmd) (func() error, error){"by the way of this system": startHeld, "through a shell": startGated}
	for name, begin := range ways {
		It("is what it gets without a tracker, "+name, func(ctx SpecContext) {
			environments := [][]string{
				{"PATH=" + os.Getenv("PATH"), "SHLVL=7", "PWD=/nonsense", "OLDPWD=/q", "a.b=1", "BASH_FUNC_x%%=() { :; }", "REPLY=r", "LINES=3", "IFS=x", "Q=it's\n$x", "ENV=/nonsense", "BASH_ENV=/nonsense", "PS4=p", "OPTIND=9"},
				{"SHLVL=1"},
			}
			if runtime.GOOS == "linux" && name == "by the way of this system" {
				environments[0] = append(environments[0], "_=u", "UID=7") // bash has its own
			}
			for _, environment := range environments {
				for _, dir := range []string{"", "/"} {
					shown := func(start func(*exec.Cmd) error) string {
						perl, err := exec.LookPath("perl")
						Expect(err).NotTo(HaveOccurred())
						cmd := exec.Command(perl, "-MPOSIX", "-e", `print map {"$_=$ENV{$_}\0"} sort keys %ENV; print "--@ARGV--"; for (0 .. 20) { print "$_ " if defined POSIX::dup2($_, 30) }`, "a b", "", "*", "'")
						cmd.Env, cmd.Dir = environment, dir
						var out bytes.Buffer
						cmd.Stdout, cmd.Stderr = &out, &out
						for range 8 {
							f, err := os.Open(os.DevNull)
							Expect(err).NotTo(HaveOccurred())
							defer f.Close()
							cmd.ExtraFiles = append(cmd.ExtraFiles, f)
						}
						before := *cmd
						Expect(start(cmd)).To(Succeed())
						Expect(cmd.Path).To(Equal(before.Path))
						Expect(cmd.Args).To(Equal(before.Args))
						Expect(cmd.ExtraFiles).To(Equal(before.ExtraFiles))
						Expect(cmd.SysProcAttr).To(Equal(before.SysProcAttr))
						Expect(cmd.Wait()).To(Succeed())
						return out.String()
					}
					plain := shown((*exec.Cmd).Start)
					Expect(plain).To(ContainSubstring("--a b  * '--0 1 2 3"))
					Expect(shown(func(cmd *exec.Cmd) error {
						release, err := begin(cmd)
						if err != nil {
							return err
						}
						return release()
					})).To(Equal(plain))
				}
			}
		}, testproc.Patience)

		It("has the name and the PID that it was given, "+name, func(ctx SpecContext) {
			cmd := exec.Command("sh", "-c", "echo $0 $$")
			cmd.Args[0] = "-login"
			var out strings.Builder
			cmd.Stdout = &out
			release, err := begin(cmd)
			Expect(err).NotTo(HaveOccurred())
			Expect(release()).To(Succeed())
			Expect(cmd.Wait()).To(Succeed())
			Expect(out.String()).To(Equal("-login " + strconv.Itoa(cmd.Process.Pid) + "\n"))
		}, testproc.Patience)

		It("has not begun before it is released, and never if it is abandoned, "+name, func(ctx SpecContext) {
			cmd := exec.Command("sh", "-c", "echo ran")
			var out strings.Builder
			cmd.Stdout = &out
			release, err := begin(cmd)
			Expect(err).NotTo(HaveOccurred())
			Expect(abandon(cmd, release)).To(Succeed())
			Expect(out.String()).To(BeEmpty())
		}, testproc.Patience)
	}
})
