//go:build darwin || linux

package main

import (
	"os"
	"path/filepath"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/monitor"
	"github.com/gemini-monitor/gemini/tracker/trees"
)

var _ = Describe("The command", func() {
	It("prints its version", func() {
		Expect(call("--version")).To(HaveField("Stdout", MatchRegexp(`^monitor version .+, go1\.\d+.* \w+/\w+\n$`)))
	})

	DescribeTable("fails with one line and the documented code", func(code int, line string, args ...string) {
		Expect(call(args...)).To(fails(code, line))
		nothingLeft()
	},
		Entry(nil, 2, `^there is no command "inof"; did you mean info\? See 'monitor help'$`, "inof"),
		Entry(nil, 2, `^there is no command "frobnicate"; see 'monitor help'$`, "frobnicate"),
		Entry(nil, 2, `^there is no command "nosuch"; see 'monitor help'$`, "help", "nosuch"),
		Entry(nil, 2, `^there is no command "compltion"; did you mean completion\? See 'monitor help'$`, "help", "compltion"),
		Entry(nil, 2, "^help takes at most the name of a command; see 'monitor help help'$", "help", "list", "a"),
		Entry(nil, 2, "^unknown flag: --bogus; see 'monitor help'$", "--bogus"),
		Entry(nil, 2, "^unknown flag: --bogus; see 'monitor help list'$", "list", "--bogus"),
		Entry(nil, 2, `^--log-level takes debug, info, warn or error, not "loud"$`, "--log-level", "loud", "list"),
		Entry(nil, 2, `^--store takes a directory, not ""$`, "--store", "", "list"),
		Entry(nil, 2, `^completion knows bash, zsh, fish, powershell, not "tcsh"$`, "completion", "tcsh"),
		Entry(nil, 2, "^completion takes the name of a shell; see 'monitor help completion'$", "completion"),
		Entry(nil, 2, "^version takes no argument; see 'monitor help version'$", "version", "all"),
		Entry(nil, 2, "^man takes a directory; ", "man"),
		Entry(nil, 1, "^No active runtime$", "info"),
		Entry(nil, 1, `^runtime "none" does not exist$`, "info", "none"),
		Entry(nil, 2, `^bad name "a/b": a name has 1 to 64 `, "info", "a/b"),
		Entry(nil, 2, `^bad name "": `, "info", ""),
		Entry(nil, 2, "^info takes at most the name of a runtime; see 'monitor help info'$", "info", "a", "b"),
		Entry(nil, 2, "^list takes no argument; ", "list", "a"),
		Entry(nil, 2, "^list takes --json or --quiet, not both$", "list", "--json", "--quiet"),
		Entry(nil, 2, `^--state takes one of starting, running, unmonitored, stopping, idle, unknown, broken, not "dead"$`, "list", "--state", "dead"),
		Entry(nil, 1, "^No active runtime$", "tree"),
		Entry(nil, 2, "^tree takes --json or --quiet, not both$", "tree", "--json", "-q"),
		Entry(nil, 1, "^No active runtime$", "why"),
		Entry(nil, 1, `^runtime "none" does not exist$`, "why", "none"),
		Entry(nil, 2, "^why takes at most the name of a runtime; ", "why", "a", "b"),
		Entry(nil, 2, "^which takes a PID; ", "which"),
		Entry(nil, 2, `^"x" is no PID$`, "which", "x"),
		Entry(nil, 2, `^"0" is no PID$`, "which", "0"),
		Entry(nil, 2, `^"2147483648" is no PID$`, "which", "2147483648"),
		Entry(nil, 1, "^process 2147483647 does not exist$", "which", "2147483647"),
		Entry(nil, 1, "^process 1 is in no runtime$", "which", "1"),
		Entry(nil, 1, `^runtime "none" does not exist$`, "tree", "none"),
		Entry(nil, 2, "^tree takes at most ", "tree", "a", "b"),
		Entry(nil, 1, `^runtime "none" does not exist$`, "serve", "none"),
		Entry(nil, 2, "^bad name ", "serve", ".."),
		Entry(nil, 2, "^serve takes the name of a runtime, or nothing; ", "serve", "a", "b"),
		Entry(nil, 2, `^--log-level takes debug, info, warn or error, not "loud"$`, "serve", "--log-level", "loud", "x"),
		Entry(nil, 2, `^--log-format takes text or json, not "xml"$`, "serve", "--log-format", "xml", "x"),
		Entry(nil, 2, "^wait takes names of runtimes, or PIDs; ", "wait"),
		Entry(nil, 1, `^runtime "abc" does not exist$`, "wait", "abc"),
		Entry(nil, 1, `^runtime "12x" does not exist$`, "wait", "12x"),
		Entry(nil, 1, `^runtime "-x" does not exist$`, "wait", "--", "-x"),
		Entry(nil, 2, `^bad name "a/b": `, "wait", "a/b"),
		Entry(nil, 2, `^--timeout: "-1s" is no time such as 90, 1.5m or 2h$`, "wait", "--timeout", "-1s", "x"),
		Entry(nil, 2, `^--timeout: "soon" is no time `, "wait", "--timeout", "soon", "x"),
		Entry(nil, 2, `^--timeout: "" is no time `, "wait", "--timeout=", "x"),
		Entry(nil, 2, `^"" is no PID$`, "wait", ""),
		Entry(nil, 2, `^"-5" is no PID$`, "wait", "--", "-5"),
		Entry(nil, 2, `^"\+5" is no PID$`, "wait", "+5"),
		Entry(nil, 2, `^"2147483648" is no PID$`, "wait", "2147483648"),
		Entry(nil, 2, `^"2147483648" is no PID$`, "tree", "2147483648"),
		Entry(nil, 2, `^"99999999999999999999" is no PID$`, "wait", "99999999999999999999"),
		Entry(nil, 2, "^PID 0 is the kernel's, not a process's$", "wait", "0"),
		Entry(nil, 2, "^everything descends from PID 1; it ends with the system$", "wait", "1"),
		Entry(nil, 3, "^process 2147483647 does not exist$", "wait", "2147483647"),
		Entry(nil, 1, `^runtime "none" does not exist$`, "logs", "none"),
		Entry(nil, 2, "^logs takes the name of a runtime; ", "logs"),
		Entry(nil, 2, "^bad name ", "logs", "a/b"),
		Entry(nil, 1, "^process 2147483647 does not exist$", "tree", "2147483647"),
		Entry(nil, 125, "^run takes a command; see 'monitor help run'$", "run"),
		Entry(nil, 125, "^run takes a command; ", "run", "--name", "x", "--"),
		Entry(nil, 125, "^unknown flag: --bogus; see 'monitor help run'$", "run", "--bogus", "--", "false"),
		Entry(nil, 125, "^flag needs an argument: --name; see 'monitor help run'$", "run", "--name"),
		Entry(nil, 125, "^bad name ", "run", "--name", "a b", "--", "false"),
		Entry(nil, 125, `^bad name "4711": .* is not of digits alone$`, "run", "--name", "4711", "--", "false"),
		Entry(nil, 125, `^bad name "-a": .* begins with neither . nor -`, "run", "--name", "-a", "--", "false"),
		Entry(nil, 125, "^--log-level takes ", "run", "--log-level", "loud", "--", "false"),
		Entry(nil, 125, `^--timeout: "-1s" is no time such as `, "run", "--timeout", "-1s", "--", "false"),
		Entry(nil, 125, `^--grace: "soon" is no time such as `, "run", "--grace", "soon", "--timeout", "1", "--", "false"),
		Entry(nil, 125, `^--leftovers: "" is no time such as `, "run", "--leftovers", "stop=", "--", "false"),
		Entry(nil, 125, `^--leftovers takes keep, stop or stop=GRACE, not "kill"$`, "run", "--leftovers", "kill", "--", "false"),
		Entry(nil, 125, `^--leftovers stop=1s and --grace 2s: give the grace once$`, "run", "--leftovers", "stop=1s", "--grace", "2s", "--", "false"),
		Entry(nil, 125, `^--on-empty takes a command of the shell, not ""$`, "run", "--on-empty", "", "--", "false"),
		Entry(nil, 125, `^--on-empty-limit: "x" is no time such as `, "run", "--on-empty", "true", "--on-empty-limit", "x", "--", "false"),
		Entry(nil, 127, "^no-such-command-at-all: command not found$", "run", "--wait", "no-such-command-at-all"),
		Entry(nil, 125, `^--timeout: "x" is no time such as `, "shell", "--timeout", "x"),
		Entry(nil, 125, "^unknown flag: --wait; see 'monitor help shell'$", "shell", "--wait"),
		Entry(nil, 125, `^shell takes arguments of the shell behind "--" only; see 'monitor help shell'$`, "shell", "bash"),
		Entry(nil, 125, `^shell takes arguments of the shell behind "--" only; `, "shell", "bash", "--", "-l"),
		Entry(nil, 125, "^bad name ", "shell", "--name", ".x"),
		Entry(nil, 127, "^no-such-command-at-all: command not found$", "run", "no-such-command-at-all"),
		Entry(nil, 127, "^/no/such/command: command not found$", "run", "--", "/no/such/command"),
		Entry(nil, 127, "^: command not found$", "run", "--", ""),
		Entry(nil, 126, "^/usr: cannot be executed: is a directory$", "run", "/usr"),
		Entry(nil, 126, "^/etc/passwd: cannot be executed: permission denied$", "run", "/etc/passwd"),
	)

	DescribeTable("starts no runtime, and leaves nothing of it,", func(prepare func() []string, code int, line string) {
		Expect(call(prepare()...)).To(fails(code, line))
		Expect(filepath.Glob(filepath.Join(storeDir, "*", "*"))).To(BeEmpty(), "runtimes and trash")
	},
		Entry("where the shell is not found", func() []string {
			GinkgoT().Setenv("SHELL", "/no/such/shell")
			return []string{"shell"}
		}, 127, `^\$SHELL is /no/such/shell: command not found$`),
		Entry("where the shell has no prompt that is known", func() []string {
			shell := filepath.Join(GinkgoT().TempDir(), "tcsh")
			Expect(os.WriteFile(shell, nil, 0o755)).To(Succeed())
			GinkgoT().Setenv("SHELL", shell)
			return []string{"shell", "--prompt"}
		}, 125, `^--prompt knows bash, zsh, fish and sh, not "tcsh"$`),
		Entry("where the store is for all users", func() []string {
			Expect(os.Mkdir(storeDir, 0o700)).To(Succeed())
			Expect(os.Chmod(storeDir, 0o777|os.ModeSticky)).To(Succeed())
			return []string{"run", "false"}
		}, 125, "; it is no store: name a directory of your own$"),
		Entry("where the store is not safe", func() []string {
			Expect(os.Mkdir(storeDir, 0o700)).To(Succeed())
			Expect(os.Chmod(storeDir, 0o777)).To(Succeed())
			return []string{"run", "false"}
		}, 125, "not safe to use: others can write to "),
		Entry("where the store cannot be made", func() []string {
			Expect(os.WriteFile(storeDir, nil, 0o600)).To(Succeed())
			return []string{"run", "--store", filepath.Join(storeDir, "below"), "false"}
		}, 125, "^open store .*: not a directory$"),
		Entry("where no variable names the store", func() []string {
			for name, value := range map[string]string{monitor.EnvStore: "", "XDG_STATE_HOME": "", "HOME": "relative"} {
				GinkgoT().Setenv(name, value)
			}
			return []string{"run", "false"}
		}, 125, "^find the user's state directory: .*; name a store with --store or MONITOR_STORE$"),
	)

	It("refuses a name that is in use, with the state and what can be done", func() {
		create("build")
		Expect(call("run", "--name", "build", "false")).To(fails(125,
			`^runtime "build" exists already: it is starting; end it with 'monitor stop build', or choose another name$`))
		running := monitor.Status{Record: monitor.Record{Name: "web", State: monitor.StateRunning}, Members: make([]trees.Member, 3)}
		Expect(advice(running)).To(Equal("it is running with 3 members; end it with 'monitor stop web', or choose another name"))
	})

	It("misses a store that was named and is not there, where it would make none", func() {
		nowhere := filepath.Join(storeDir, "nowhere")
		for _, words := range [][]string{{"list"}, {"list", "--json"}, {"info"}, {"info", "build"}, {"tree"}, {"prune"}} {
			Expect(call(append(words, "--store", nowhere)...)).To(fails(1,
				"^store "+nowhere+" does not exist; 'monitor run' and 'monitor serve' make one$"), "%q", words)
		}
		Expect(call("list", "-q")).To(Equal(outcome{}), "one that MONITOR_STORE names is empty before the first run")
	})

	It("undoes a start whose command has an interpreter that is missing", func() {
		script := filepath.Join(GinkgoT().TempDir(), "script")
		Expect(os.WriteFile(script, []byte("#!/no/such/interpreter\n"), 0o755)).To(Succeed())
		Expect(start("run", script)).To(Equal(outcome{"", "monitor: exec " + script + ": no such file or directory\n", 127}))
		nothingLeft()
	})

	It("undoes a start whose arguments are too long for the system", func() {
		Expect(call("run", "echo", strings.Repeat("x", 1<<20))).To(fails(126, "^exec .*echo: argument list too long$"))
		nothingLeft()
	})
})
