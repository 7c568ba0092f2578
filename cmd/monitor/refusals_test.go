//go:build darwin || linux

package main

import (
	"os"
	"path/filepath"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/monitor"
)

var _ = Describe("The command", func() {
	It("prints its version", func() {
		Expect(call("--version")).To(HaveField("Stdout", MatchRegexp(`^monitor version .+, go1\.\d+.* \w+/\w+\n$`)))
	})

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
		Entry(nil, 125, "^unknown flag: --bogus$", "run", "--bogus", "--", "false"),
		Entry(nil, 125, "^flag needs an argument: --name$", "run", "--name"),
		Entry(nil, 125, "^bad name ", "run", "--name", "a b", "--", "false"),
		Entry(nil, 125, `^bad name "4711": .* is not of digits alone$`, "run", "--name", "4711", "--", "false"),
		Entry(nil, 125, `^bad name "-a": .* begins with neither . nor -`, "run", "--name", "-a", "--", "false"),
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
		Expect(filepath.Glob(filepath.Join(storeDir, "*", "*"))).To(BeEmpty(), "runtimes and trash")
	},
		Entry("where the shell is not found", func() []string {
			GinkgoT().Setenv("SHELL", "/no/such/shell")
			return []string{"shell"}
		}, 127, "^/no/such/shell: command not found$"),
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
		}, 125, "^find the user's state directory: "),
	)

	It("refuses a name that is in use", func() {
		create("build")
		Expect(call("run", "--name", "build", "false")).To(fails(125, `^runtime "build" exists already$`))
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
