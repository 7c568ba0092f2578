//go:build darwin || linux

package scenarios_test

import (
	"os"
	"os/exec"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/harness"
)

// A lineEditor is a shell with its line editor, and without start-up files of the system or
// the user.
type lineEditor struct {
	name    string
	words   []string // that start it
	setup   string   // a line that loads the completion
	clear   string   // a key that empties the line
	without []string // arguments that keep it from its start-up files, for monitor shell
}

var lineEditors = []lineEditor{
	{"bash", []string{"bash", "--norc", "--noprofile", "-i"}, `eval "$(monitor completion bash)"`, "\x15", []string{"--norc"}},
	{"zsh", []string{"zsh", "-f", "-i"}, `autoload -Uz compinit && compinit -D -u && eval "$(monitor completion zsh)"`, "\x15", []string{"-f"}},
	{"fish", []string{"fish", "--no-config", "-i"}, "monitor completion fish | source; set -g fish_autosuggestion_enabled 0", "\x15", []string{"--no-config"}},
}

// installed skips the spec if the shell is not, and returns its path.
func (l lineEditor) installed() string {
	path, err := exec.LookPath(l.name)
	if err != nil {
		Skip(l.name + " is not installed")
	}
	return path
}

var _ = Describe("A line that is typed", ours, func() {
	for _, l := range lineEditors {
		It("is completed by "+l.name+": names, values of flags, commands, then files", Label("shell:"+l.name), func(ctx SpecContext) {
			l.installed()
			stage.Start(monitor.Run("build-of-today", "puppet", "owner")...)
			owner := stage.Puppet("owner")
			Expect(os.WriteFile(stage.Path("notes-of-today"), nil, 0o600)).To(Succeed())
			t := stage.Command(l.words...).Env("TERM", "xterm").Size(24, 100).Echo().Terminal()
			t.Send(l.setup + `; printf '%s-loaded\n' now`)
			t.ExpectScreen("now-loaded")
			for _, c := range []struct{ typed, line string }{
				{"monitor info bu", "monitor info build-of-today"},
				{"monitor join bu", "monitor join build-of-today"},
				{"monitor join build-of-today -- mkfi", "monitor join build-of-today -- mkfifo"},
				{"monitor --log-level=de", "monitor --log-level=debug"},
				{"monitor run --name x -- mkfi", "monitor run --name x -- mkfifo"},
				{"monitor run -- cat notes", "monitor run -- cat notes-of-today"},
			} {
				t.Press(c.typed)
				t.ExpectScreen(c.typed)
				t.Key(harness.Tab)
				t.ExpectScreen(c.line)
				t.Press(l.clear)
				t.ExpectGone(c.line)
			}
			t.Send("exit")
			t.Wait()
			owner.Exit(0)
		}, limit)

		It("has the name of the runtime before or behind it in "+l.name+", if asked for", Label("shell:"+l.name), func(ctx SpecContext) {
			words := append([]string{"monitor", "shell", "--name", "window", "--prompt", "--"}, append(l.without, "-i")...)
			t := stage.Command(words...).Env("SHELL", l.installed()).Env("TERM", "xterm").Size(24, 100).Echo().Terminal()
			t.ExpectScreen("(window)")
			t.Send("exit")
			t.Wait()
			expectRemoved(ctx, "window", t.Oracle())
		}, limit)
	}

	It("has the name of the runtime before it in sh, if asked for", func(ctx SpecContext) {
		t := stage.Command("env", "SHELL=/bin/sh", "monitor", "shell", "--name", "window", "--prompt").Terminal()
		t.Expect("(window) ")
		t.Send("exit")
		t.Wait()
		expectRemoved(ctx, "window", t.Oracle())
	}, limit)
})
