//go:build darwin || linux

package harness

import (
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/gemini-monitor/gemini/harness/internal/table"
	"github.com/gemini-monitor/gemini/harness/internal/terminal"
)

// A Shell is an interactive shell at a terminal of its own, or a program that becomes
// or starts one.
type Shell struct {
	Terminal
	kind    Kind
	profile profile
	keys    *int // number of marks that key has typed
}

// Shell starts an interactive shell and waits for its prompt. Unless UserProfile was
// called it has no start-up files and no line editor. It skips the test if the shell is
// not installed.
func (s *Stage) Shell(kind Kind) *Shell {
	s.t.Helper()
	sh := s.AtTerminal(kind, s.profile(kind).command(kind)...)
	sh.Prompt()
	return sh
}

// AtTerminal starts a command that becomes or starts a shell, as sudo or env does, with
// SHELL and the prompt of a kind. It does not wait: call Prompt. It skips the test if the shell is
// not installed.
//
// For the shells below it, HOME is a second directory of the stage. It has start-up files
// with the prompt of the harness, which ENV and ZDOTDIR name too: other commands do not get
// them. BASH_SILENCE_DEPRECATION_WARNING is set for bash on macOS. Stage.Setenv, before, sets
// these variables otherwise.
func (s *Stage) AtTerminal(kind Kind, words ...string) *Shell {
	s.t.Helper()
	path, err := kind.Path()
	if err != nil {
		s.t.Skipf("the shell %s is not installed: %v", kind, err)
	}
	c := s.Command(words...)
	c.startup = s.shellEnv
	c.Env("SHELL", path).Env("PS1", kind.prompt(s.mark))
	t, err := c.terminal(fmt.Sprintf("%s-%d", kind, len(s.terminals.list())))
	if err != nil {
		s.t.Fatalf("%v", err)
	}
	return &Shell{Terminal: *t, kind: kind, profile: s.profile(kind), keys: new(int)}
}

// Run types line and waits for the next prompt. It returns the output of the line and
// its status, $?.
func (sh *Shell) Run(line string) (output string, status int) {
	sh.stage.t.Helper()
	sh.Send(line)
	return sh.Prompt()
}

// Prompt waits for a prompt. It returns the output before it and the status of the
// last command.
func (sh *Shell) Prompt() (output string, status int) {
	sh.stage.t.Helper()
	match, err := sh.find(sh.terminal.Recording, []any{sh.profile.prompt}, sh.read, sh.writers)
	if err != nil {
		sh.stage.t.Fatalf("%s%s", sh.failure(sh.unprompted(err)), sh.foreground())
	}
	sh.read = match.end
	status, err = strconv.Atoi(match.Groups[0])
	if err != nil {
		sh.stage.t.Fatalf("%s: the status in the prompt: %v", sh.name, err)
	}
	sh.stage.changed()
	return sh.profile.output(match.Before), status
}

// unprompted makes the error of a search for the prompt name it in words.
func (sh *Shell) unprompted(err error) error {
	if search, ok := errors.AsType[*terminal.NotFound](err); ok {
		search.Expected = "the prompt of " + string(sh.kind)
		if sh.typed != "" {
			search.Expected += " after `" + brief(sh.typed, 100) + "`"
		}
	}
	return err
}

// foreground names the processes of the foreground group, other than the shell, as a part of
// a message, "" without any.
func (sh *Shell) foreground() string {
	group, err := sh.ForegroundGroup()
	if err != nil || group <= 0 || group == sh.PID() {
		return ""
	}
	all, err := table.All()
	if err != nil {
		return ""
	}
	var pids []int
	for pid, r := range all {
		if r.Group == group && !r.Ended {
			pids = append(pids, pid)
		}
	}
	if len(pids) == 0 {
		return ""
	}
	slices.Sort(pids)
	return "; in the foreground is " + list(membersOf(pids, all))
}

// Interrupt presses ^C and waits for the prompt.
func (sh *Shell) Interrupt() (output string, status int) {
	sh.stage.t.Helper()
	return sh.key(CtrlC)
}

// Suspend presses ^Z and waits for the prompt.
func (sh *Shell) Suspend() (output string, status int) {
	sh.stage.t.Helper()
	return sh.key(CtrlZ)
}

// key presses a key and waits for the prompt. If the foreground job ended at the same
// time, the shell shows two prompts: one for that and one for the key. So key types a
// command that prints a mark, and goes on behind the mark.
func (sh *Shell) key(key Key) (output string, status int) {
	sh.stage.t.Helper()
	sh.Key(key)
	output, status = sh.Prompt()
	*sh.keys++
	sh.Send(fmt.Sprintf(`printf '<%%s>\n' %s.%d`, sh.stage.mark, *sh.keys))
	sh.Expect(fmt.Sprintf(`<%s.%d>`, sh.stage.mark, *sh.keys))
	sh.Prompt()
	return output, status
}

// Exit types exit, waits for the end of the process, and returns how it ended.
func (sh *Shell) Exit() Status {
	sh.stage.t.Helper()
	sh.Send("exit")
	return sh.Wait()
}
