//go:build darwin || linux

package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/monitor"
	"github.com/gemini-monitor/gemini/tracker"
)

// soon is long enough to notice what must not happen, if it does. Too short
// a time misses that and fails nothing.
const soon = 100 * time.Millisecond

// An outcome is what a user sees of a call.
type outcome struct {
	Stdout string
	Stderr string // the line, without "monitor: "
	Code   int
}

// call calls the command in this process. A run that is meant to succeed must be
// done by start instead, as it becomes the command; one that is not names "false",
// so that the specs fail if it does.
func call(args ...string) outcome {
	GinkgoHelper()
	var out, stray bytes.Buffer
	root := newRoot()
	root.SetArgs(append([]string{}, args...)) // cobra takes nil for "those of the process"
	root.SetOut(&out)
	root.SetErr(&stray)
	err := root.Execute()
	Expect(stray.String()).To(BeEmpty(), "cobra wrote something itself")
	if err == nil {
		return outcome{Stdout: out.String()}
	}
	return outcome{out.String(), oneLine(err), exitCode(err)}
}

// command is the same in a process of its own.
func command(args ...string) *exec.Cmd {
	GinkgoHelper()
	self, err := os.Executable()
	Expect(err).NotTo(HaveOccurred())
	return exec.Command(self, append([]string{asMonitor}, args...)...)
}

// start runs a command in a process of its own to its end.
func start(args ...string) outcome {
	GinkgoHelper()
	var out, errors bytes.Buffer
	cmd := command(args...)
	cmd.Stdout, cmd.Stderr = &out, &errors
	err := cmd.Run()
	if _, exited := err.(*exec.ExitError); err != nil && !exited {
		Expect(err).NotTo(HaveOccurred())
	}
	return outcome{out.String(), errors.String(), cmd.ProcessState.ExitCode()}
}

// fails matches a call that ends with a code and one line.
func fails(code int, line string) OmegaMatcher {
	return And(
		HaveField("Code", code),
		HaveField("Stdout", BeEmpty()),
		HaveField("Stderr", And(MatchRegexp(line), Not(ContainSubstring("\n")))),
	)
}

func self() tracker.Identity {
	GinkgoHelper()
	row, err := tracker.Lookup(os.Getpid())
	Expect(err).NotTo(HaveOccurred())
	return row.Identity
}

// give makes a process the owner of a runtime.
func give(r *monitor.Runtime, pid int) {
	GinkgoHelper()
	record, err := r.Record()
	Expect(err).NotTo(HaveOccurred())
	row, err := tracker.Lookup(pid)
	Expect(err).NotTo(HaveOccurred())
	record.Owner = row.Identity
	text, err := json.Marshal(record)
	Expect(err).NotTo(HaveOccurred())
	Expect(os.WriteFile(filepath.Join(r.Dir(), "runtime.json"), text, 0o600)).To(Succeed())
}

var _ = Describe("The command", func() {
	var dir string // of the store

	// Nothing of where the specs are run is left in the way.
	BeforeEach(func() {
		dir = filepath.Join(GinkgoT().TempDir(), "store")
		GinkgoT().Setenv(monitor.EnvStore, dir)
		GinkgoT().Setenv(monitor.EnvRuntime, "")
		GinkgoT().Setenv("SHELL", "/bin/sh")
	})

	store := func() *monitor.Store {
		GinkgoHelper()
		s, err := monitor.Open(dir)
		Expect(err).NotTo(HaveOccurred())
		return s
	}
	create := func(name string, words ...string) *monitor.Runtime {
		GinkgoHelper()
		r, err := store().Create(name, words)
		Expect(err).NotTo(HaveOccurred())
		return r
	}
	nothingLeft := func() {
		GinkgoHelper()
		for _, sub := range []string{"runtimes", "trash"} {
			entries, err := os.ReadDir(filepath.Join(dir, sub))
			Expect(err).To(Or(Not(HaveOccurred()), MatchError(os.ErrNotExist)))
			Expect(entries).To(BeEmpty(), sub)
		}
	}

	DescribeTable("fails with one line and the documented code", func(code int, line string, args ...string) {
		Expect(call(args...)).To(fails(code, line))
		nothingLeft()
	},
		Entry(nil, 2, `^there is no command "inof"; see 'monitor help'$`, "inof"),
		Entry(nil, 2, "^unknown flag: --bogus$", "--bogus"),
		Entry(nil, 2, "^unknown flag: --bogus$", "list", "--bogus"),
		Entry(nil, 1, "^No active runtime$", "info"),
		Entry(nil, 1, `^runtime "none" does not exist$`, "info", "none"),
		Entry(nil, 2, `^bad name "a/b": a name has 1 to 64 `, "info", "a/b"),
		Entry(nil, 2, `^bad name "": `, "info", ""),
		Entry(nil, 2, "^info takes at most the name of a runtime; see 'monitor help info'$", "info", "a", "b"),
		Entry(nil, 2, "^list takes no argument; ", "list", "a"),
		Entry(nil, 2, "^list takes --json or --quiet, not both$", "list", "--json", "--quiet"),
		Entry(nil, 1, "^No active runtime$", "tree"),
		Entry(nil, 1, `^runtime "none" does not exist$`, "tree", "none"),
		Entry(nil, 2, "^tree takes at most ", "tree", "a", "b"),
		Entry(nil, 1, `^runtime "none" does not exist$`, "watch", "none"),
		Entry(nil, 2, "^bad name ", "watch", ".."),
		Entry(nil, 2, "^watch takes the name of a runtime; ", "watch"),
		Entry(nil, 2, `^--log-level takes debug, info, warn or error, not "loud"$`, "watch", "--log-level", "loud", "x"),
		Entry(nil, 2, `^--log-format takes text or json, not "xml"$`, "watch", "--log-format", "xml", "x"),
		Entry(nil, 2, "^wait takes a PID; ", "wait"),
		Entry(nil, 2, `^"abc" is no PID$`, "wait", "abc"),
		Entry(nil, 2, `^"12x" is no PID$`, "wait", "12x"),
		Entry(nil, 2, `^"" is no PID$`, "wait", ""),
		Entry(nil, 2, `^"-5" is no PID$`, "wait", "--", "-5"),
		Entry(nil, 2, `^"99999999999999999999" is no PID$`, "wait", "99999999999999999999"),
		Entry(nil, 2, "^PID 0 is the kernel's, not a process's$", "wait", "0"),
		Entry(nil, 2, "^everything descends from PID 1; it ends with the system$", "wait", "1"),
		Entry(nil, 1, "^process 2147483647 does not exist$", "wait", "2147483647"),
		Entry(nil, 1, "^process 2147483647 does not exist$", "tree", "2147483647"),
		Entry(nil, 125, "^run takes a command; see 'monitor help run'$", "run"),
		Entry(nil, 125, "^run takes a command; ", "run", "--name", "x", "--"),
		Entry(nil, 125, "^unknown flag: --bogus$", "run", "--bogus", "--", "false"),
		Entry(nil, 125, "^flag needs an argument: --name$", "run", "--name"),
		Entry(nil, 125, "^bad name ", "run", "--name", "a b", "--", "false"),
		Entry(nil, 125, "^--log-level takes ", "run", "--log-level", "loud", "--", "false"),
		Entry(nil, 125, "^shell takes no argument; ", "shell", "bash"),
		Entry(nil, 125, "^bad name ", "shell", "--name", ".x"),
		Entry(nil, 127, "^no-such-command-at-all: command not found$", "run", "no-such-command-at-all"),
		Entry(nil, 127, "^/no/such/command: command not found$", "run", "--", "/no/such/command"),
		Entry(nil, 127, "^: command not found$", "run", "--", ""),
		Entry(nil, 126, "^/usr: cannot be executed: is a directory$", "run", "/usr"),
		Entry(nil, 126, "^/etc/passwd: cannot be executed: permission denied$", "run", "/etc/passwd"),
	)

	DescribeTable("starts no runtime, and leaves nothing of it,", func(prepare func() []string, code int, line string) {
		Expect(call(prepare()...)).To(fails(code, line))
	},
		Entry("where the shell is not found", func() []string {
			GinkgoT().Setenv("SHELL", "/no/such/shell")
			return []string{"shell"}
		}, 127, "^/no/such/shell: command not found$"),
		Entry("where the store is not safe", func() []string {
			Expect(os.Mkdir(dir, 0o700)).To(Succeed())
			Expect(os.Chmod(dir, 0o777)).To(Succeed())
			return []string{"run", "false"}
		}, 125, "not safe to use: others can write to "),
		Entry("where the store cannot be made", func() []string {
			Expect(os.WriteFile(dir, nil, 0o600)).To(Succeed())
			return []string{"run", "--store", filepath.Join(dir, "below"), "false"}
		}, 125, "^(create|open) store .*: not a directory$"),
		Entry("where nobody knows where the store is", func() []string {
			for _, name := range []string{monitor.EnvStore, "XDG_STATE_HOME", "HOME"} {
				GinkgoT().Setenv(name, "")
			}
			return []string{"run", "false"}
		}, 125, "^find the user's state directory: "),
	)

	It("refuses a name that is in use", func() {
		create("build")
		Expect(call("run", "--name", "build", "false")).To(fails(125, `^runtime "build" exists already$`))
	})

	It("undoes a start whose command turns out to be no program: its interpreter is missing", func() {
		script := filepath.Join(GinkgoT().TempDir(), "script")
		Expect(os.WriteFile(script, []byte("#!/no/such/interpreter\n"), 0o755)).To(Succeed())
		Expect(start("run", script)).To(Equal(outcome{"", "monitor: exec " + script + ": no such file or directory\n", 127}))
		nothingLeft()
	})

	It("undoes a start whose arguments are too long for the system", func() {
		Expect(call("run", "echo", strings.Repeat("x", 1<<20))).To(fails(126, "^exec .*echo: argument list too long$"))
		nothingLeft()
	})

	Describe("run", func() {
		It("passes on what the command writes and how it ends", func() {
			Expect(start("run", "--", "sh", "-c", "echo out; echo err >&2; exit 7")).To(Equal(outcome{"out\n", "err\n", 7}))
			Eventually(store().Names).Should(BeEmpty())
		})

		It("is killed by the signal that kills the command", func() {
			cmd := command("run", "--", "sh", "-c", "kill -TERM $$")
			Expect(cmd.Run()).NotTo(Succeed())
			Expect(cmd.ProcessState.Sys().(syscall.WaitStatus).Signal()).To(Equal(syscall.SIGTERM))
			Eventually(store().Names).Should(BeEmpty())
		})

		It("leaves the command's flags to the command", func() {
			Expect(start("run", "--name", "n", "printf", "%s", "--name")).To(HaveField("Stdout", "--name"))
			Eventually(store().Names).Should(BeEmpty())
		})

		It("puts the command into a runtime that info inside finds", func() {
			self, err := os.Executable()
			Expect(err).NotTo(HaveOccurred())
			got := start("run", "--name", "build", "--", self, asMonitor, "info", "--json")
			var status monitor.Status
			Expect(json.Unmarshal([]byte(got.Stdout), &status)).To(Succeed(), "%+v", got)
			Expect(status.Name).To(Equal("build"))
			Expect(status.State).To(Equal(monitor.Running))
			Expect(status.Command).To(Equal([]string{self, asMonitor, "info", "--json"}))
			Eventually(store().Names).Should(BeEmpty())
		})
	})

	Describe("watch", func() {
		It("leaves everything as it is on a signal, and exits with 0", func() {
			create("build")
			cmd := command("watch", "build")
			log, err := cmd.StderrPipe()
			Expect(err).NotTo(HaveOccurred())
			Expect(cmd.Start()).To(Succeed())
			DeferCleanup(func() { _ = cmd.Process.Kill() })
			_, err = log.Read(make([]byte, 1)) // it logs once it watches
			Expect(err).NotTo(HaveOccurred())
			Expect(cmd.Process.Signal(syscall.SIGTERM)).To(Succeed())
			Expect(cmd.Wait()).To(Succeed())
			Expect(store().Names()).To(Equal([]string{"build"}))
			Expect(call("list")).To(HaveField("Stdout", ContainSubstring("unmonitored")))
		})

		It("keeps watching on a hang-up that it was told to ignore, as by nohup", func() {
			owner := exec.Command("sh", "-c", "read -r x")
			gate, err := owner.StdinPipe()
			Expect(err).NotTo(HaveOccurred())
			Expect(owner.Start()).To(Succeed())
			DeferCleanup(func() { _ = owner.Wait() })
			DeferCleanup(func() { _ = gate.Close() })
			r := create("build")
			give(r, owner.Process.Pid)

			cmd := command("watch", "build")
			cmd.Stderr = GinkgoWriter
			signal.Ignore(syscall.SIGHUP) // so does the child then
			err = cmd.Start()
			signal.Reset(syscall.SIGHUP)
			Expect(err).NotTo(HaveOccurred())
			DeferCleanup(func() { _ = cmd.Process.Kill() })
			Eventually(r.Record).Should(HaveField("State", monitor.Running))
			Expect(cmd.Process.Signal(syscall.SIGHUP)).To(Succeed())
			Expect(gate.Close()).To(Succeed())
			Expect(cmd.Wait()).To(Succeed())
			nothingLeft()
		})

		It("says who else watches", func() {
			r := create("build")
			cmd := command("watch", "build")
			Expect(cmd.Start()).To(Succeed())
			DeferCleanup(func() {
				_ = cmd.Process.Kill()
				_ = cmd.Wait()
			})
			Eventually(r.Record).Should(HaveField("Monitor", Not(BeNil())))
			Expect(call("watch", "build")).To(fails(1, `^runtime "build" is watched already, by process `+strconv.Itoa(cmd.Process.Pid)+"$"))
		})
	})

	Describe("wait", func() {
		It("returns when the process has gone and was not reaped yet", func() {
			cmd := exec.Command("sh", "-c", "read -r x")
			gate, err := cmd.StdinPipe()
			Expect(err).NotTo(HaveOccurred())
			Expect(cmd.Start()).To(Succeed())
			DeferCleanup(func() { _ = cmd.Wait() })
			ended := make(chan outcome)
			go func() { ended <- call("wait", strconv.Itoa(cmd.Process.Pid)) }()
			Consistently(ended).WithTimeout(soon).ShouldNot(Receive())
			Expect(gate.Close()).To(Succeed())
			Eventually(ended).Should(Receive(Equal(outcome{})))
		})
	})

	Describe("info, list and tree", func() {
		It("show a runtime by name and by the process they are called in", func() {
			create("build", "make", "-j 8")
			for _, args := range [][]string{{"info"}, {"info", "build"}} {
				got := call(args...)
				Expect(got.Code).To(BeZero())
				Expect(got.Stdout).To(And(
					MatchRegexp(`(?m)^name: +build$`), MatchRegexp(`(?m)^state: +starting$`),
					MatchRegexp(`(?m)^command: +make '-j 8'$`), MatchRegexp(`(?m)^owner: +%d$`, os.Getpid()),
				))
			}
			Expect(call("list").Stdout).To(MatchRegexp(`(?m)^build +starting +%d +0 +\S+ +make '-j 8'$`, os.Getpid()))
			Expect(call("list", "-q").Stdout).To(Equal("build\n"))
		})

		It("print as JSON what the library knows", func() {
			r := create("build", "make")
			entry := monitor.Entry{Event: tracker.Joined, Member: &tracker.Member{
				Process: tracker.Process{Identity: self()}, Link: tracker.Link{Kind: tracker.LinkRoot}}}
			line, err := json.Marshal(entry)
			Expect(err).NotTo(HaveOccurred())
			Expect(os.WriteFile(filepath.Join(r.Dir(), "journal.jsonl"), append(line, '\n'), 0o600)).To(Succeed())
			survey, err := store().Survey()
			Expect(err).NotTo(HaveOccurred())
			known, err := survey.Status(r)
			Expect(err).NotTo(HaveOccurred())
			Expect(known.Members).To(HaveLen(1))

			var status monitor.Status
			Expect(json.Unmarshal([]byte(call("info", "--json").Stdout), &status)).To(Succeed())
			Expect(status.Record).To(Equal(known.Record))
			Expect(status.Members).To(HaveLen(1))
			var all []monitor.Status
			Expect(json.Unmarshal([]byte(call("list", "--json").Stdout), &all)).To(Succeed())
			Expect(all).To(HaveLen(1))
			Expect(all[0].Record).To(Equal(known.Record))
			var members []tracker.Member
			Expect(json.Unmarshal([]byte(call("tree", "build", "--json").Stdout), &members)).To(Succeed())
			Expect(members).To(HaveLen(1))
			Expect(members[0].Identity).To(Equal(self()))
			Expect(call("tree").Stdout).To(HavePrefix(strconv.Itoa(os.Getpid()) + " "))
		})

		It("print an empty array where there is nothing", func() {
			Expect(call("list", "--json").Stdout).To(Equal("[]\n"))
			Expect(call("list")).To(Equal(outcome{}))
			create("build")
			Expect(call("tree", "build", "--json").Stdout).To(Equal("[]\n"))
		})

		It("show a broken runtime by name, with the reason", func() {
			r := create("build")
			Expect(os.WriteFile(filepath.Join(r.Dir(), "runtime.json"), []byte("?"), 0o600)).To(Succeed())
			Expect(call("list").Stdout).To(MatchRegexp(`(?m)^build +broken +- +0 +- +.*broken record`))
			Expect(call("info", "build").Stdout).To(And(MatchRegexp(`(?m)^state: +broken$`), ContainSubstring("reason:")))
			Expect(call("tree", "build")).To(fails(1, `^runtime "build" has a broken record`))
		})

		It("tree draws any process, and prefers a runtime that has the number as its name", func() {
			pid := strconv.Itoa(os.Getppid())
			Expect(call("tree", pid).Stdout).To(HavePrefix(pid + " "))
			create(pid)
			Expect(call("tree", pid, "--json").Stdout).To(Equal("[]\n"))
		})

		It("take a store from the flag before the environment", func() {
			create("build")
			Expect(call("--store", filepath.Join(dir, "other"), "list", "-q").Stdout).To(BeEmpty())
			Expect(call("list", "-q").Stdout).To(Equal("build\n"))
		})
	})

	It("explains each of its commands, with an example", func() {
		for _, name := range []string{"", "run", "shell", "info", "list", "tree", "wait", "watch"} {
			got := call(strings.Fields(name + " --help")...)
			Expect(got.Code).To(BeZero(), name)
			Expect(got.Stdout).To(And(ContainSubstring("Usage:"), ContainSubstring("Examples:"), ContainSubstring("monitor "+name)), name)
			Expect(got.Stdout).NotTo(ContainSubstring("--detach"), "internal flags are nobody's business")
		}
		Expect(call()).To(HaveField("Stdout", ContainSubstring("Available Commands:")))
	})
})
