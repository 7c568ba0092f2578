//go:build darwin || linux

package harness

import (
	"context"
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"syscall"
)

// A Shell is an interactive shell at a terminal of its own, or a program that becomes
// or starts one. Its methods fail the test, with the last output, if the shell does
// not do what they wait for. One goroutine uses it.
type Shell struct {
	stage    *Stage
	name     string
	track    *track
	profile  profile
	terminal *terminal
	process  *process
	oracle   *Oracle
	read     int // offset of the output that no method has returned yet
	marks    int // number of marks that key has typed
}

// Shell starts an interactive shell and waits for its prompt. Unless UserProfile was
// called it has no start-up files and no line editor.
func (s *Stage) Shell(ctx context.Context, kind Kind) *Shell {
	s.t.Helper()
	sh := s.AtTerminal(ctx, kind, s.profile(kind).command(kind)...)
	sh.Prompt(ctx)
	return sh
}

// AtTerminal starts argv as the leader of a session at a new terminal, with an oracle
// at descriptor 3 and with SHELL and the prompt of kind. It does not wait; if argv
// becomes a shell, call Prompt.
func (s *Stage) AtTerminal(ctx context.Context, kind Kind, argv ...string) *Shell {
	s.t.Helper()
	cmd := s.command(argv...)
	path, err := kind.Path()
	if err != nil {
		s.t.Fatalf("find the shell: %v", err)
	}
	cmd.Env = append(cmd.Env, "SHELL="+path, "PS1="+kind.prompt(s.mark))
	k := s.timeline.track(fmt.Sprintf("%s-%d", kind, len(s.shells)))
	sh, err := s.startShell(cmd, k)
	if err != nil {
		s.t.Fatalf("%v", err)
	}
	sh.stage, sh.profile, sh.name = s, s.profile(kind), fmt.Sprintf("%s (%s)", kind, argv[0])
	s.shells = append(s.shells, sh)
	return sh
}

// startShell opens a terminal and starts cmd at it.
func (s *Stage) startShell(cmd *exec.Cmd, k *track) (*Shell, error) {
	unlock, err := lockEdge()
	if err != nil {
		return nil, err
	}
	defer unlock()
	oracle, err := newOracle(k.oracle())
	if err != nil {
		return nil, err
	}
	terminal, err := openTerminal(s.rows, s.columns)
	if err != nil {
		oracle.close()
		return nil, err
	}
	replica := terminal.replica
	cmd.Stdin, cmd.Stdout, cmd.Stderr = replica, replica, replica
	cmd.ExtraFiles = append(cmd.ExtraFiles, oracle.write)
	// Ctty is a descriptor of the child: its standard input.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true, Ctty: 0}
	process, err := start(cmd, k, oracle.write)
	if err != nil {
		terminal.Close()
		oracle.close()
		return nil, err
	}
	return &Shell{track: k, terminal: terminal, process: process, oracle: oracle}, nil
}

// PID returns the PID of the process that was started at the terminal.
func (sh *Shell) PID() int { return sh.process.PID() }

// Oracle returns the oracle that the process and its descendants inherit.
func (sh *Shell) Oracle() *Oracle { return sh.oracle }

// Exited returns a channel that is closed when the process was reaped.
func (sh *Shell) Exited() <-chan struct{} { return sh.process.Exited() }

// Transcript returns all input and output so far, with times.
func (sh *Shell) Transcript() string { return sh.terminal.String() }

// Run types line and waits for the next prompt. It returns the output of the line and
// its status, $?.
func (sh *Shell) Run(ctx context.Context, line string) (output string, status int) {
	sh.stage.t.Helper()
	sh.Send(line)
	return sh.Prompt(ctx)
}

// Send types line and Return, and does not wait. It fails the test if the line has 1024
// bytes or more: macOS drops the rest of such a line.
func (sh *Shell) Send(line string) {
	sh.stage.t.Helper()
	if len(line) >= 1024 {
		sh.stage.t.Fatalf("a line of %d bytes is too long to be typed", len(line))
	}
	sh.Press(line + "\n")
}

// Press types keys without Return.
func (sh *Shell) Press(keys string) {
	sh.stage.t.Helper()
	if _, err := sh.terminal.Write([]byte(keys)); err != nil {
		sh.stage.t.Fatalf("%s: %v", sh.name, err)
	}
}

// Prompt waits for a prompt. It returns the output before it and the status of the
// last command.
func (sh *Shell) Prompt(ctx context.Context) (output string, status int) {
	sh.stage.t.Helper()
	from := sh.read
	match := sh.find(ctx, sh.profile.prompt)
	status, err := strconv.Atoi(sh.terminal.text(match[2], match[3]))
	if err != nil {
		sh.stage.t.Fatalf("%s: the status in the prompt: %v", sh.name, err)
	}
	sh.stage.changed()
	return sh.profile.output(sh.terminal.text(from, match[0])), status
}

// Expect waits until pattern, a regular expression, matches the output since the last
// match or prompt, and returns the matching text.
func (sh *Shell) Expect(ctx context.Context, pattern string) string {
	sh.stage.t.Helper()
	match := sh.find(ctx, regexp.MustCompile(pattern))
	return sh.terminal.text(match[0], match[1])
}

// find waits for pattern and returns the indices of match and submatches.
func (sh *Shell) find(ctx context.Context, pattern *regexp.Regexp) []int {
	sh.stage.t.Helper()
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	match, err := sh.terminal.find(ctx, pattern, sh.read)
	if err != nil {
		sh.stage.t.Fatalf("%s: %v", sh.name, err)
	}
	sh.read = match[1]
	return match
}

// Interrupt presses ^C and waits for the prompt.
func (sh *Shell) Interrupt(ctx context.Context) (output string, status int) {
	sh.stage.t.Helper()
	return sh.key(ctx, "\x03")
}

// Suspend presses ^Z and waits for the prompt.
func (sh *Shell) Suspend(ctx context.Context) (output string, status int) {
	sh.stage.t.Helper()
	return sh.key(ctx, "\x1a")
}

// key presses a key and waits for the prompt. If the foreground job ended at the same
// time, the shell shows two prompts: one for that and one for the key. So key types a
// command that prints a mark, and goes on behind the mark.
func (sh *Shell) key(ctx context.Context, key string) (output string, status int) {
	sh.stage.t.Helper()
	sh.Press(key)
	output, status = sh.Prompt(ctx)
	sh.marks++
	sh.Send(fmt.Sprintf(`printf '<%%s>\n' %s.%d`, sh.stage.mark, sh.marks))
	sh.Expect(ctx, fmt.Sprintf(`<%s\.%d>`, sh.stage.mark, sh.marks))
	sh.Prompt(ctx)
	return output, status
}

// Hangup closes the terminal, as closing its window does.
func (sh *Shell) Hangup() {
	sh.track.record(Event{PID: sh.PID(), What: "its terminal is closed"})
	sh.terminal.Hangup()
}

// Signal sends s to the process at the terminal. After the reap it does nothing. If a
// session leader dies, the kernel sends SIGHUP to the foreground group. After Hangup
// the kernel sends it to the leader only, and a shell may pass it on.
func (sh *Shell) Signal(s syscall.Signal) { sh.process.Signal(s) }

// Exit types exit, waits for the end of the process, and returns how it ended.
func (sh *Shell) Exit(ctx context.Context) Status {
	sh.stage.t.Helper()
	sh.Send("exit")
	return sh.Wait(ctx)
}

// Wait waits for the end of the process at the terminal and returns how it ended.
func (sh *Shell) Wait(ctx context.Context) Status {
	sh.stage.t.Helper()
	status, err := sh.process.Wait(ctx)
	if err != nil {
		sh.stage.t.Fatalf("%s: %v; last seen: %q", sh.name, err, sh.terminal.last(sh.read))
	}
	return status
}

// close kills the process, if it lives, and releases its terminal.
func (sh *Shell) close() error {
	sh.process.end()
	return sh.terminal.Close()
}
