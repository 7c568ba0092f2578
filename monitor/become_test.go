//go:build darwin || linux

package monitor_test

import (
	"bufio"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"golang.org/x/sys/unix"

	"github.com/gemini-monitor/gemini/monitor"
	"github.com/gemini-monitor/gemini/tracker/process"
)

// atHome returns a store with a place beside it for what monitors leave there.
// A monitor that lingers does so until release, at the latest until the spec ends.
func atHome() (store *monitor.Store, release func()) {
	GinkgoHelper()
	place := GinkgoT().TempDir()
	store, err := monitor.Open(filepath.Join(place, "store"))
	Expect(err).NotTo(HaveOccurred())
	Expect(unix.Mkfifo(filepath.Join(place, fifo), 0o600)).To(Succeed())
	// Open for reading too, so that opening does not wait for a reader.
	held, err := os.OpenFile(filepath.Join(place, fifo), os.O_RDWR, 0)
	Expect(err).NotTo(HaveOccurred())
	release = func() {
		_ = os.Remove(held.Name()) // a later monitor does not linger
		_ = held.Close()
	}
	DeferCleanup(func() {
		release()
		Eventually(monitorsOf).WithArguments(store).Should(HaveEach(false), "monitors still alive")
	})
	return store, release
}

// monitorsOf returns for each monitor that was ever started for a store whether
// it lives, and an entry for PID 0.
func monitorsOf(store *monitor.Store) (alive map[int]bool, err error) {
	book, err := os.ReadFile(filepath.Join(filepath.Dir(store.Dir()), guestBook))
	alive = map[int]bool{0: false} // HaveEach needs an element
	for _, line := range strings.Fields(string(book)) {
		pid, err := strconv.Atoi(line)
		if err != nil {
			return nil, err
		}
		row, err := process.Lookup(pid)
		if err != nil && !errors.Is(err, process.ErrGone) {
			return nil, err
		}
		alive[pid] = err == nil && row.State != process.Zombie
	}
	if os.IsNotExist(err) {
		err = nil
	}
	return alive, err
}

// noCommand is a command that must not be run. If a monitor fault runs it, a spec
// fails. A command that exists would replace the specs, and exit with 0.
const noCommand = "/no/such/command"

var _ = Describe("Starting a runtime", func() {
	var store *monitor.Store
	var release func()

	BeforeEach(func() { store, release = atHome() })

	// run tries to become a command under a monitor with a conduct.
	run := func(path, conduct string, patience time.Duration) error {
		return become(store, monitor.Program{
			Path: path, Args: []string{path},
			Keeper: monitor.OwnMonitor{Command: conductedBy(conduct, store.Dir())}, Patience: patience,
		}, "build")
	}

	DescribeTable("is refused without a monitor, and nothing is left,", func(conduct string, patience time.Duration, why string) {
		err := run(noCommand, conduct, patience)
		Expect(err).To(MatchError(monitor.ErrNoMonitor))
		Expect(err).To(MatchError(And(
			HavePrefix(`runtime "build" cannot start: its monitor did not start: `), ContainSubstring(why))))
		nothingLeft(store)
		Eventually(monitorsOf).WithArguments(store).Should(And(HaveLen(2), HaveEach(false)), "one monitor was there, and went")
	},
		Entry("when it ends without a word", exits, generous, "it ended"),
		Entry("when it answers with an error", refuses, generous, "no luck today"),
		Entry("when it never reports that it is ready", stuck, 6*time.Second, "it did not answer in time"),
		Entry("when the process that is to start it hangs", neverBorn, 6*time.Second, ""),
	)

	It("is refused where the monitor is no program, with the reason", func() {
		err := become(store, monitor.Program{
			Path: noCommand, Args: []string{noCommand}, Patience: generous,
			Keeper: monitor.OwnMonitor{Command: func(string) []string { return []string{"/no/such/program"} }},
		}, "build")
		Expect(err).To(MatchError(monitor.ErrNoMonitor))
		Expect(err).To(MatchError(os.ErrNotExist))
		nothingLeft(store)
	})

	It("is refused with the last line of the log, where the monitor wrote why", func() {
		err := become(store, monitor.Program{
			Path: noCommand, Args: []string{noCommand}, Patience: generous,
			Keeper: monitor.OwnMonitor{Command: func(string) []string {
				return []string{"/bin/sh", "-c", "echo first >&2; echo the reason >&2; exit 3"}
			}},
		}, "build")
		Expect(err).To(MatchError(monitor.ErrNoMonitor))
		Expect(err).To(MatchError(HaveSuffix("exit status 3: the reason")))
		nothingLeft(store)
	})

	It("leaves a monitor that comes too late with nothing to do", func() {
		Expect(run(noCommand, late, 6*time.Second)).To(MatchError(monitor.ErrNoMonitor))
		nothingLeft(store)
		release()
		Eventually(monitorsOf).WithArguments(store).Should(And(HaveLen(2), HaveEach(false)), "one monitor was there, and ended")
		nothingLeft(store)
	})

	DescribeTable("is undone, its monitor too, when the command cannot be run after all",
		func(furnish func(path string)) {
			path := filepath.Join(GinkgoT().TempDir(), "command")
			furnish(path)
			failed, _ := errors.AsType[*os.PathError](run(path, asMeant, generous))
			Expect(failed).To(And(Not(BeNil()), HaveField("Op", "exec"), HaveField("Path", path)))
			nothingLeft(store)
			Eventually(monitorsOf).WithArguments(store).Should(And(HaveLen(2), HaveEach(false)))
		},
		Entry("as it is gone", func(string) {}),
		Entry("as its interpreter is missing", func(path string) {
			Expect(os.WriteFile(path, []byte("#!/no/such/interpreter\n"), 0o755)).To(Succeed())
		}),
		Entry("as it may not be executed", func(path string) {
			Expect(os.WriteFile(path, []byte("#!/bin/sh\n"), 0o644)).To(Succeed())
		}),
	)

	It("fails where the name is in use, before any monitor is started", func() {
		_, err := store.Create(mine("build", nil))
		Expect(err).NotTo(HaveOccurred())
		Expect(run(noCommand, asMeant, generous)).To(MatchError(monitor.ErrExist))
		Expect(monitorsOf(store)).To(HaveLen(1), "none")
		Expect(store.Names()).To(Equal([]string{"build"}))
	})

	Describe("that succeeds", func() {
		// asOwner is a process that becomes the command of a runtime.
		asOwner := func(words ...string) *exec.Cmd {
			GinkgoHelper()
			program, err := os.Executable()
			Expect(err).NotTo(HaveOccurred())
			return exec.Command(program, append([]string{rolePrefix + "owner", store.Dir(), "build"}, words...)...)
		}

		// begin starts a process that becomes the command of a runtime, a shell
		// with a script. What that writes is returned line by line.
		begin := func(script string, files ...*os.File) (*child, *bufio.Scanner) {
			GinkgoHelper()
			cmd := asOwner("/bin/sh", "-c", script)
			cmd.ExtraFiles, cmd.Stderr = files, GinkgoWriter
			out, err := cmd.StdoutPipe()
			Expect(err).NotTo(HaveOccurred())
			Expect(cmd.Start()).To(Succeed())
			DeferCleanup(func() {
				_ = cmd.Process.Kill()
				_ = cmd.Wait()
			})
			row, err := process.Lookup(cmd.Process.Pid)
			Expect(err).NotTo(HaveOccurred())
			return &child{row.Identity, cmd}, bufio.NewScanner(out)
		}

		line := func(output *bufio.Scanner) string {
			GinkgoHelper()
			Expect(output.Scan()).To(BeTrue(), "%v", output.Err())
			return output.Text()
		}

		It("becomes the command: same process, watched, with its environment and lease", func() {
			owner, output := begin(
				`echo $$; echo "$MONITOR_RUNTIME"; echo "$MONITOR_RUNTIME_DIR"; echo "$MONITOR_STORE"; read -r x <&3`,
				through(newGate())...)
			Expect(line(output)).To(Equal(strconv.Itoa(owner.PID)))
			Expect(line(output)).To(Equal("build"))
			Expect(line(output)).To(Equal(filepath.Join(store.Dir(), "runtimes", "build", "root")))
			Expect(line(output)).To(Equal(store.Dir()))
			runtime, err := store.Runtime("build")
			Expect(err).NotTo(HaveOccurred())
			record, err := runtime.Record()
			Expect(err).NotTo(HaveOccurred())
			Expect(record.State).To(Equal(monitor.StateRunning), "watched before the command exists")
			Expect(record.Owner).To(Equal(owner.Identity))
			Expect(record.Command[0]).To(Equal("/bin/sh"))
			witness, err := runtime.LeaseWitness()
			Expect(err).NotTo(HaveOccurred())
			defer witness.Close()
			Expect(witness.Free()).To(BeFalse())
			owner.kill()
			Eventually(store.Names).Should(BeEmpty())
			Eventually(contents).WithArguments(store.Trash()).Should(BeEmpty())
		})

		It("has a monitor outside: of init, in a session of its own, with none of our descriptors", func() {
			// The first gate's numbers are used again on the way to the monitor.
			g := newGate()
			owner, output := begin("echo up; read -r x <&3", through(newGate(), g)...)
			line(output)
			runtime, err := store.Runtime("build")
			Expect(err).NotTo(HaveOccurred())
			record, err := runtime.Record()
			Expect(err).NotTo(HaveOccurred())
			Expect(record.Monitor).NotTo(BeNil())
			monitors, err := process.Lookup(record.Monitor.PID)
			Expect(err).NotTo(HaveOccurred())
			Expect(monitors.Identity).To(Equal(*record.Monitor))
			Expect(monitors.Session).To(Equal(monitors.PID))
			Expect(monitors.Group).To(Equal(monitors.PID))
			Expect(process.IsDescendant(monitors.PID, owner.PID)).To(BeFalse())
			Expect(process.IsDescendant(monitors.PID, os.Getpid())).To(BeFalse())
			// Stopped, the monitor cannot end. If it had inherited the gate's pipe, the
			// pipe would not end with the owner.
			Expect(syscall.Kill(monitors.PID, syscall.SIGSTOP)).To(Succeed())
			DeferCleanup(func() { _ = syscall.Kill(monitors.PID, syscall.SIGCONT) }) // it may have gone
			Eventually(process.Lookup).WithArguments(monitors.PID).Should(HaveField("State", process.Stopped))
			g.sign.Close()
			owner.kill()
			Expect(g.alive.SetReadDeadline(time.Now().Add(generous))).To(Succeed())
			_, err = g.alive.Read(make([]byte, 1))
			Expect(err).To(MatchError("EOF"))
			Expect(syscall.Kill(monitors.PID, syscall.SIGCONT)).To(Succeed())
			Eventually(store.Names).Should(BeEmpty())
		})

		It("leaves a runtime unmonitored when the monitor is killed, for the next to go on with", func() {
			g := newGate()
			_, output := begin("echo up; read -r x <&3", through(g)...)
			line(output)
			runtime, err := store.Runtime("build")
			Expect(err).NotTo(HaveOccurred())
			record, err := runtime.Record()
			Expect(err).NotTo(HaveOccurred())
			Expect(syscall.Kill(record.Monitor.PID, syscall.SIGKILL)).To(Succeed())
			Eventually(stateOf).WithArguments(store, "build").Should(Equal(monitor.StateUnmonitored))
			w := watched(runtime)
			Expect(stateOf(store, "build")).To(Equal(monitor.StateRunning))
			g.open()
			Expect(w.ends()).To(Succeed())
			nothingLeft(store)
		})

		It("sets each variable once, also inside another runtime", func() {
			cmd := asOwner("/usr/bin/env")
			cmd.Env = append(os.Environ(), monitor.EnvRuntime+"=outer", monitor.EnvDirectory+"=outer", monitor.EnvStore+"=outer")
			out, err := cmd.Output()
			Expect(err).NotTo(HaveOccurred())
			for _, name := range []string{monitor.EnvRuntime, monitor.EnvDirectory, monitor.EnvStore} {
				Expect(strings.Count("\n"+string(out), "\n"+name+"=")).To(Equal(1), name)
			}
			Expect(string(out)).NotTo(ContainSubstring("=outer\n"))
			Eventually(store.Names).Should(BeEmpty())
		})

		It("gives a script without an interpreter to the shell, as shells do", func() {
			script := filepath.Join(GinkgoT().TempDir(), "script")
			Expect(os.WriteFile(script, []byte("echo \"$0 $1\"\n"), 0o755)).To(Succeed())
			out, err := asOwner(script, "argument").Output()
			Expect(err).NotTo(HaveOccurred())
			Expect(string(out)).To(Equal(script + " argument\n"))
			Eventually(store.Names).Should(BeEmpty())
		})
	})
})

var _ = Describe("The environment of a command", func() {
	It("has the last setting of each variable, in order", func() {
		Expect(monitor.LastOfEach([]string{"A=1", "B=", "A=2=3", "C", "B=x"})).To(Equal([]string{"A=2=3", "C", "B=x"}))
	})
})
