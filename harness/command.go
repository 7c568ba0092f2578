//go:build darwin || linux

package harness

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/gemini-monitor/gemini/harness/internal/terminal"
	"github.com/gemini-monitor/gemini/harness/internal/wire"
)

// A Command is a command line with its surroundings. Its methods change it and return it:
//
//	job := stage.Command("sort", "-n").Input("2\n1\n").Start()
//	editor := stage.Command("edit", "notes").In(dir).Size(24, 80).Terminal()
type Command struct {
	stage         *Stage
	words         []string
	directory     string
	environment   []string
	startup       []string // by which a shell finds the start-up files of the stage
	input         *string
	pipe          bool
	apart         bool
	echo          bool
	rows, columns int
	limit         time.Duration
}

// Command returns a command in the environment of the stage. A name without a slash is
// looked up in the PATH of the stage. Another one is a path, relative to the directory of
// the test. Without a change the command has no input, its output and errors are one
// stream, and it begins in the directory of the stage.
//
// The environment of the test is not passed on, except for PATH, behind the programs of the
// stage, and GOCOVERDIR and GORACE. The command has a HOME of the stage, which is empty at
// first, the directory of the stage as TMPDIR, TERM=dumb, LC_ALL=C, two variables of the
// harness (HARNESS_PUPPETS, by which puppets find the stage, and HARNESS_TREE, the mark of
// the tree), and what Setenv and Env add: c.Env("LANG", os.Getenv("LANG")) passes a variable
// on. Stage.Shell and Stage.AtTerminal set more.
func (s *Stage) Command(words ...string) *Command {
	s.t.Helper()
	if len(words) == 0 {
		s.t.Fatalf("harness: a command has at least one word")
	}
	s.needPerl(words)
	return &Command{stage: s, words: words, directory: s.dir, rows: s.rows, columns: s.columns, limit: s.limit}
}

// In sets the directory in which the command begins.
func (c *Command) In(directory string) *Command {
	c.directory = directory
	return c
}

// Env sets a variable of the environment.
func (c *Command) Env(name, value string) *Command {
	c.environment = append(c.environment, name+"="+value)
	return c
}

// Input gives a job a file with this text as its standard input.
func (c *Command) Input(text string) *Command {
	c.input = &text
	return c
}

// Pipe gives a job a pipe as its standard input, for [Job.Write] and [Job.CloseInput].
func (c *Command) Pipe() *Command {
	c.pipe = true
	return c
}

// Apart keeps standard output and errors of a job apart, for [Job.Stdout], [Job.Stderr] and
// [Job.ExpectStderr].
func (c *Command) Apart() *Command {
	c.apart = true
	return c
}

// Size sets the size of the terminal. The default is that of the stage.
func (c *Command) Size(rows, columns int) *Command {
	c.rows, c.columns = rows, columns
	return c
}

// Echo makes the terminal show what is typed, as terminals do for people. Without it, all
// that is shown is output.
func (c *Command) Echo() *Command {
	c.echo = true
	return c
}

// Start starts a command as a job.
func (s *Stage) Start(words ...string) *Job {
	s.t.Helper()
	return s.Command(words...).Start()
}

// Terminal starts a command at a terminal of its own.
func (s *Stage) Terminal(words ...string) *Terminal {
	s.t.Helper()
	return s.Command(words...).Terminal()
}

// Start starts the command as a job. It fails the test if that is impossible.
func (c *Command) Start() *Job {
	s := c.stage
	s.t.Helper()
	g, err := s.newGuard()
	if err != nil {
		s.t.Fatalf("start %q: %v", c.words, err)
	}
	j, err := c.job(fmt.Sprintf("job-%d", len(s.jobs.list())), g, true)
	if err != nil {
		s.t.Fatalf("%v", err)
	}
	return j
}

// job starts the command with pipes for its output. An own command has an oracle, and a
// warden of its own.
func (c *Command) job(name string, g *guard, own bool) (*Job, error) {
	s := c.stage
	order, err := c.order()
	if err != nil {
		return nil, err
	}
	order.Oracle, order.Output, order.Errors = own, wire.Pipe, wire.Merged
	if c.apart {
		order.Errors = wire.Pipe
	}
	var given []*os.File
	switch {
	case c.input != nil:
		file, err := inputFile(s.place, *c.input)
		if err != nil {
			return nil, fmt.Errorf("start %q: %w", c.words, err)
		}
		order.Input, given = wire.Sent, append(given, file)
	case c.pipe:
		order.Input = wire.Pipe
	}
	j := &Job{Tree: Tree{limit: c.limit, tree: &tree{stage: s, name: name, shared: !own}}, jobParts: &jobParts{}}
	if own && s.crossCheck {
		more, err := j.addWitnesses(order)
		if given = append(given, more...); err != nil {
			closeAll(given)
			return nil, fmt.Errorf("start %q: %w", c.words, err)
		}
	}
	back, err := j.begin(g, order, given)
	if err != nil {
		return nil, err
	}
	err = j.connect(order, back)
	if own {
		j.tree.lastWords = j.lastWords
		s.jobs.add(j) // now: a report reads its output
	}
	return j, err
}

func closeAll(files []*os.File) {
	for _, file := range files {
		file.Close()
	}
}

// inputFile returns a new file in dir with text, open for reading.
func inputFile(dir, text string) (*os.File, error) {
	file, err := os.CreateTemp(dir, "input-")
	if err != nil {
		return nil, err
	}
	_, err = file.WriteString(text)
	if err = errors.Join(err, file.Close()); err != nil {
		return nil, err
	}
	return os.Open(file.Name())
}

// order returns the command for a warden.
func (c *Command) order() (*wire.Command, error) {
	path, err := c.stage.lookPath(c.words[0])
	if err != nil {
		return nil, fmt.Errorf("start %q: %w", c.words, err)
	}
	directory, err := filepath.Abs(c.directory)
	if err != nil {
		return nil, fmt.Errorf("start %q: %w", c.words, err)
	}
	// Without this, the error of the start names the program.
	if info, err := os.Stat(directory); err != nil || !info.IsDir() {
		if err == nil {
			err = syscall.ENOTDIR
		}
		return nil, fmt.Errorf("start %q in %s: %w", c.words, directory, reason(err))
	}
	environment := lastOfEach(slices.Concat(c.stage.base, c.startup, c.stage.env, c.environment))
	return &wire.Command{Path: path, Arguments: c.words, Environment: environment, Directory: directory}, nil
}

// reason returns the error of the system call without its path.
func reason(err error) error {
	if path, ok := errors.AsType[*os.PathError](err); ok {
		return path.Err
	}
	return err
}

// lastOfEach returns an environment in which each variable has its last value only.
func lastOfEach(environment []string) []string {
	last := map[string]int{}
	for i, entry := range environment {
		name, _, _ := strings.Cut(entry, "=")
		last[name] = i
	}
	var rest []string
	for i, entry := range environment {
		if name, _, _ := strings.Cut(entry, "="); last[name] == i {
			rest = append(rest, entry)
		}
	}
	return rest
}

// begin starts the tree and returns what the warden sent, the oracle left out.
func (t *tree) begin(g *guard, order *wire.Command, given []*os.File) (back []*os.File, err error) {
	s := t.stage
	t.at, t.track, t.seen, t.atTerminal = caller(), s.timeline.track(t.name), starts{}, order.Terminal
	t.mark = fmt.Sprintf("%s.%d", s.mark, len(s.trees.list()))
	order.Environment = append(order.Environment, treeVariable+"="+t.mark)
	if t.began, err = s.birth(t.shared); err != nil {
		closeAll(given)
		return nil, err
	}
	if t.process, back, err = g.begin(order, given, t.track); err != nil {
		return nil, err
	}
	s.trees.add(t)
	if order.Oracle {
		if t.oracle, err = newOracle(back[0], t.track.oracle()); err != nil {
			closeAll(back[1:])
			return nil, err
		}
		back = back[1:]
	}
	return back, nil
}

// Terminal starts the command as the leader of a session at a terminal of its own. It fails
// the test if that is impossible.
func (c *Command) Terminal() *Terminal {
	c.stage.t.Helper()
	t, err := c.terminal(fmt.Sprintf("%s-%d", filepath.Base(c.words[0]), len(c.stage.terminals.list())))
	if err != nil {
		c.stage.t.Fatalf("%v", err)
	}
	return t
}

func (c *Command) terminal(name string) (*Terminal, error) {
	s := c.stage
	order, err := c.order()
	if err != nil {
		return nil, err
	}
	g, err := s.newGuard()
	if err != nil {
		return nil, fmt.Errorf("start %q: %w", c.words, err)
	}
	unlock, err := terminal.LockEdge()
	if err != nil {
		return nil, fmt.Errorf("start %q: %w", c.words, err)
	}
	defer unlock()
	opened, err := terminal.Open(c.rows, c.columns, c.echo)
	if err != nil {
		return nil, fmt.Errorf("start %q: %w", c.words, err)
	}
	given, err := copies(opened.Replica(), 3)
	if err != nil {
		closeAll(given)
		return nil, errors.Join(err, opened.Close())
	}
	order.Input, order.Output, order.Errors = wire.Sent, wire.Sent, wire.Sent
	order.Oracle, order.Terminal = true, true
	t := &Terminal{Tree: Tree{limit: c.limit, tree: &tree{stage: s, name: name}}, screenParts: newScreenParts(opened, c.rows, c.columns)}
	if _, err := t.begin(g, order, given); err != nil {
		return nil, errors.Join(err, opened.Close())
	}
	t.tree.lastWords = t.lastOutput
	go t.follow(t.tree, t.terminal.Done(), t.terminal.CatchUp)
	s.terminals.add(t)
	return t, nil
}

// copies returns copies of the descriptor of a file.
func copies(file *os.File, number int) ([]*os.File, error) {
	var all []*os.File
	for range number {
		fd, err := duplicate(file)
		if err != nil {
			return all, err
		}
		all = append(all, os.NewFile(uintptr(fd), file.Name()))
	}
	return all, nil
}

// lookPath returns the absolute path of a program.
func (s *Stage) lookPath(name string) (string, error) {
	if strings.Contains(name, "/") {
		path, err := exec.LookPath(name)
		if err != nil {
			return "", err
		}
		return filepath.Abs(path)
	}
	for _, dir := range filepath.SplitList(s.variable("PATH")) {
		if path, err := exec.LookPath(filepath.Join(dir, name)); err == nil && filepath.IsAbs(path) {
			return path, nil
		}
	}
	return "", &exec.Error{Name: name, Err: exec.ErrNotFound}
}

// variable returns a variable of the stage's environment.
func (s *Stage) variable(name string) (value string) {
	for _, entry := range slices.Concat(s.base, s.env) {
		if text, ok := strings.CutPrefix(entry, name+"="); ok {
			value = text
		}
	}
	return value
}
