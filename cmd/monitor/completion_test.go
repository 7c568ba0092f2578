//go:build darwin || linux

package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/monitor/resident"
)

// completed returns what a shell is given for a line that ends with its last word: the
// completions without their descriptions, and the directive.
func completed(words ...string) (completions []string, directive string) {
	GinkgoHelper()
	var out, notes bytes.Buffer
	root := newRoot()
	root.SetArgs(append([]string{"__completeNoDesc"}, words...))
	root.SetOut(&out)
	root.SetErr(&notes)
	Expect(root.Execute()).To(Succeed())
	lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	last := len(lines) - 1
	return lines[:last], lines[last]
}

// The directives of cobra: what a shell does besides.
const (
	thenFiles = ":0"
	noFiles   = ":4"
	onlyDirs  = ":16"
)

var _ = Describe("Completion", func() {
	var none []string

	DescribeTable("has", func(expected []string, directive string, words ...string) {
		create("build")
		create("web")
		found, then := completed(words...)
		Expect(found).To(ConsistOf(expected))
		Expect(then).To(Equal(directive))
	},
		Entry("runtimes for logs", []string{"build", "web"}, noFiles, "logs", ""),
		Entry("each runtime once for stop", []string{"build"}, noFiles, "stop", "web", ""),
		Entry("what becomes of leftovers", []string{"keep", "stop"}, noFiles, "run", "--leftovers", ""),
		Entry("runtimes for info", []string{"build", "web"}, noFiles, "info", ""),
		Entry("runtimes for tree", []string{"build", "web"}, noFiles, "tree", "--json", ""),
		Entry("runtimes for serve", []string{"build", "web"}, noFiles, "serve", ""),
		Entry("each runtime once for stop", []string{"web"}, noFiles, "stop", "build", ""),
		Entry("signals for stop", []string{"TERM", "INT", "HUP", "QUIT", "USR1", "USR2"}, noFiles, "stop", "--signal", ""),
		Entry("one runtime for info", none, noFiles, "info", "build", ""),
		Entry("nothing for a store that is not there", none, noFiles, "--store", "/nowhere", "info", ""),
		Entry("nothing for a store that is not safe", none, noFiles, "--store", "/tmp", "info", ""),
		Entry("log levels", []string{"debug", "info", "warn", "error"}, noFiles, "--log-level", ""),
		Entry("log levels behind =", []string{"debug", "info", "warn", "error"}, noFiles, "list", "--log-level="),
		Entry("log formats", []string{"text", "json"}, noFiles, "serve", "--log-format", ""),
		Entry("directories for the store", none, onlyDirs, "--store", ""),
		Entry("no files for a name", none, noFiles, "run", "--name", ""),
		Entry("no files for a time", none, noFiles, "serve", "--idle", ""),
		Entry("no files where there is no argument", none, noFiles, "list", ""),
		Entry("shells", completedShells, noFiles, "completion", ""),
		Entry("one shell", none, noFiles, "completion", "bash", ""),
		Entry("files for the shell", none, thenFiles, "shell", "--", "scr"),
		Entry("files behind a flag of the shell", none, thenFiles, "shell", "--", "--rcfile", ""),
		Entry("no files for shell alone", none, noFiles, "shell", ""),
	)

	It("has the commands that there are, and help for them", func() {
		shown := none
		for _, cmd := range newRoot().Commands() {
			if !cmd.Hidden {
				shown = append(shown, cmd.Name())
			}
		}
		found, _ := completed("help", "")
		Expect(found).To(ConsistOf(shown))
		found, _ = completed("")
		Expect(found).To(ConsistOf(append(shown, "help")))
	})

	It("starts no monitor and reads no record", func() {
		withResident()
		r := create("web")
		Expect(os.WriteFile(filepath.Join(r.Dir(), "runtime.json"), []byte("?"), 0o600)).To(Succeed())
		found, _ := completed("info", "")
		Expect(found).To(Equal([]string{"web"}))
		_, err := resident.ReadCard(store())
		Expect(err).To(MatchError(os.ErrNotExist))
	})

	Describe("of a command to run", func() {
		BeforeEach(func() {
			bin := GinkgoT().TempDir()
			for name, mode := range map[string]os.FileMode{"tool": 0o755, "tool-box": 0o700, "notes": 0o644, "other": 0o755, "to\tm": 0o755} {
				Expect(os.WriteFile(filepath.Join(bin, name), nil, mode)).To(Succeed())
			}
			Expect(os.Mkdir(filepath.Join(bin, "tools"), 0o755)).To(Succeed())
			more := GinkgoT().TempDir()
			Expect(os.Symlink(filepath.Join(bin, "tool"), filepath.Join(more, "toolkit"))).To(Succeed())
			Expect(os.WriteFile(filepath.Join(more, "tool"), nil, 0o755)).To(Succeed())
			GinkgoT().Setenv("PATH", bin+":/nowhere::"+more)
			GinkgoT().Chdir(GinkgoT().TempDir())
		})

		DescribeTable("has", func(expected []string, words ...string) {
			found, then := completed(append([]string{"run"}, words...)...)
			Expect(found).To(Equal(expected))
			Expect(then).To(Equal(thenFiles))
		},
			Entry("the programs of PATH that begin so, once each", []string{"tool", "tool-box", "toolkit"}, "--", "to"),
			Entry("the same without --", []string{"tool", "tool-box", "toolkit"}, "to"),
			Entry("the same behind flags", []string{"other"}, "--name", "x", "--", "o"),
			Entry("files for a path", []string{}, "--", "./to"),
			Entry("files where no program begins so", []string{}, "--", "no"),
			Entry("files behind the command", []string{}, "--", "tool", "to"),
			Entry("files behind flags of the command", []string{}, "tool", "--name", "-"),
		)
	})

	DescribeTable("prints a script that the shell can read", func(shell string, flags ...string) {
		got := call(append([]string{"completion", shell}, flags...)...)
		Expect(got).To(And(HaveField("Code", 0), HaveField("Stdout", ContainSubstring("__complete"))))
		if path, err := exec.LookPath(shell); err == nil {
			check := exec.Command(path, "-n")
			check.Stdin = strings.NewReader(got.Stdout)
			said, err := check.CombinedOutput()
			Expect(err).NotTo(HaveOccurred(), "%s", said)
			Expect(said).To(BeEmpty())
		}
	},
		Entry(nil, "bash"),
		Entry(nil, "bash", "--no-descriptions"),
		Entry(nil, "zsh"),
		Entry(nil, "zsh", "--no-descriptions"),
		Entry(nil, "fish"),
		Entry(nil, "fish", "--no-descriptions"),
		Entry(nil, "powershell"),
		Entry(nil, "powershell", "--no-descriptions"),
	)

	// bash hands a line to the script as the words and the place of the cursor.
	DescribeTable("cuts the words of a line in a bash without bash-completion", func(line, expected string, words ...string) {
		bash, err := exec.LookPath("bash")
		Expect(err).NotTo(HaveOccurred())
		script := bashAlone + `
COMP_LINE=$1 COMP_POINT=${#1}; shift
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
__monitor_init_completion -n =:
printf '%s|' ${words[@]+"${words[@]}"}; printf '<%s><%s>%s' "$prev" "$cur" "$cword"`
		out, err := exec.Command(bash, append([]string{"--norc", "-c", script, "bash", line}, words...)...).CombinedOutput()
		Expect(err).NotTo(HaveOccurred(), "%s", out)
		Expect(string(out)).To(Equal(expected))
	},
		Entry("as they are", "monitor info bu", "monitor|info|bu|<info><bu>2", "monitor", "info", "bu"),
		Entry("with an empty last one", "monitor  info ", "monitor|info||<info><>2", "monitor", "info", ""),
		Entry("with = in one", "monitor --store=/x info ", "monitor|--store=/x|info||<info><>3", "monitor", "--store", "=", "/x", "info", ""),
		Entry("with = at the end", "monitor --log-level=", "monitor|--log-level=|<monitor><--log-level=>1", "monitor", "--log-level", "="),
		Entry("with : in one", "monitor run a:b", "monitor|run|a:b|<run><a:b>2", "monitor", "run", "a", ":", "b"),
		Entry("of bash 3.2, which does not cut them", "monitor --log-level=de", "monitor|--log-level=de|<monitor><--log-level=de>1", "monitor", "--log-level=de"),
	)
})
