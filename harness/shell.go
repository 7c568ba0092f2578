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

// A Shell is an interactive shell at a terminal of its own, or a program that
// became or started one. Its methods fail the test when the shell does not do
// what was waited for, and say what was seen last. One goroutine uses it.
type Shell struct {
	stage    *Stage
	name     string
	track    *track
	profile  profile
	terminal *terminal
	process  *process
	oracle   *Oracle
	read     int // offset up to which the screen has been used
	marks    int // commands typed to find out where we are
}

// Shell starts an interactive shell, a quiet one unless UserProfile was called,
// and waits for its prompt.
func (s *Stage) Shell(ctx context.Context, kind Kind) *Shell {
	s.t.Helper()
	sh := s.AtTerminal(ctx, kind, s.profile(kind).command(kind)...)
	sh.Prompt(ctx)
	return sh
}

// AtTerminal starts argv as the leader of a session at a new terminal, with an
// oracle at descriptor 3, and SHELL and the prompt set for kind. It waits for
// nothing; if argv becomes a shell, call Prompt.
func (s *Stage) AtTerminal(ctx context.Context, kind Kind, argv ...string) *Shell {
	s.t.Helper()
	cmd := s.command(argv...)
	path, err := kind.Path()
	if err != nil {
		s.t.Fatalf("no such shell here: %v", err)
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

// PID is the process that was started at the terminal.
func (sh *Shell) PID() int { return sh.process.PID() }

// Oracle tells whether any process lives that descends from the shell.
func (sh *Shell) Oracle() *Oracle { return sh.oracle }

// Exited is closed when the process at the terminal was reaped.
func (sh *Shell) Exited() <-chan struct{} { return sh.process.Exited() }

// Transcript is all that was typed and shown so far, with times.
func (sh *Shell) Transcript() string { return sh.terminal.String() }

// Run types line and waits for the next prompt. It returns what was shown in
// between and the status of the line as the shell counts it, $?.
func (sh *Shell) Run(ctx context.Context, line string) (output string, status int) {
	sh.stage.t.Helper()
	sh.Send(line)
	return sh.Prompt(ctx)
}

// Send types line and Return, and waits for nothing. A line has to be shorter
// than 1024 bytes: macOS drops the rest without a word.
func (sh *Shell) Send(line string) {
	sh.stage.t.Helper()
	if len(line) >= 1024 {
		sh.stage.t.Fatalf("a line of %d bytes is too long to be typed", len(line))
	}
	sh.Press(line + "\n")
}

// Press types keys, without Return.
func (sh *Shell) Press(keys string) {
	sh.stage.t.Helper()
	if _, err := sh.terminal.Write([]byte(keys)); err != nil {
		sh.stage.t.Fatalf("%s: %v", sh.name, err)
	}
}

// Prompt waits until the shell is ready for a command. It returns what was
// shown before, and the status of the last command.
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

// Expect waits until pattern, a regular expression, matches what was shown
// since the last match, and returns the matching text.
func (sh *Shell) Expect(ctx context.Context, pattern string) string {
	sh.stage.t.Helper()
	match := sh.find(ctx, regexp.MustCompile(pattern))
	return sh.terminal.text(match[0], match[1])
}

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

// key presses a key that makes the shell prompt. If the foreground job ended
// just then there are two prompts, one for its end and one for the key. A mark
// that only a new command can show tells where the conversation goes on.
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

// Hangup closes the terminal as a closed window does.
func (sh *Shell) Hangup() {
	sh.track.record(Event{PID: sh.PID(), What: "its terminal is closed"})
	sh.terminal.Hangup()
}

// Signal sends s to the process at the terminal; if it has ended this does
// nothing. A leader that dies takes the foreground group along by a hang-up:
// the kernel's own, after the death, where Hangup is the shell's to pass on.
func (sh *Shell) Signal(s syscall.Signal) { sh.process.Signal(s) }

// Exit types exit and waits for the end of the process at the terminal.
func (sh *Shell) Exit(ctx context.Context) Status {
	sh.stage.t.Helper()
	sh.Send("exit")
	return sh.Wait(ctx)
}

// Wait waits for the end of the process at the terminal.
func (sh *Shell) Wait(ctx context.Context) Status {
	sh.stage.t.Helper()
	status, err := sh.process.Wait(ctx)
	if err != nil {
		sh.stage.t.Fatalf("%s: %v; last seen: %q", sh.name, err, sh.terminal.last(sh.read))
	}
	return status
}

// close ends the shell, if it has not ended, and frees its terminal.
func (sh *Shell) close() error {
	sh.process.end()
	return sh.terminal.Close()
}
