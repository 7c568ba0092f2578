//go:build darwin || linux

package harness

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/gemini-monitor/gemini/harness/internal/scratch"
	"github.com/gemini-monitor/gemini/harness/internal/wire"
)

// A Stage is the surroundings of one test: a private directory, home and environment,
// and the jobs, terminals and puppets that were started in it. One goroutine uses it.
type Stage struct {
	*scene
	limit time.Duration
}

// A scene is the part that all handles of a Stage share.
type scene struct {
	t         T
	ctx       context.Context // ends with the test
	stop      context.CancelCauseFunc
	image     string   // path of the program that is puppet and warden
	tools     string   // directory with the programs
	place     string   // directory of dir and of the files of the harness, without links in its path
	dir       string   // that the test and its programs have
	base      []string // environment of all processes
	shellEnv  []string // what Shell and AtTerminal add to it
	env       []string // what Setenv adds to both
	user      bool     // UserProfile was called
	mark      string   // unique to the stage
	marks     marks
	rows      int // of new terminals
	columns   int
	troupe    *troupe
	guards    shared[*guard]
	runner    *guard // of the commands of Run; nil before the first
	trees     shared[*tree]
	jobs      shared[*Job]
	terminals shared[*Terminal]
	loans     []io.Closer                   // descriptors that puppets sent to this process
	looks     []func()                      // called when a prompt or a puppet has appeared
	last      []func(context.Context) error // called after the stage was cleared; an error fails the test
	// timeline has what the harness saw, sources return what observers have recorded.
	timeline   *timeline
	spec       *track
	sources    []func() []Event
	explained  atomic.Bool // the test has the report
	failed     atomic.Bool // the timeline has the failure
	before     string      // the processes and files of a passed test before the stage was cleared
	crossCheck bool        // CrossCheck was called
	// grace is how long a process may live that the stage has not started, a daemon
	// for example, after all others have ended.
	grace time.Duration
}

// errNoMain reports a test binary that cannot be a puppet.
var errNoMain = errors.New("TestMain does not call harness.Main(m), by which the test binary becomes the puppets of its tests")

// New returns a stage for a test. When the test ends, the stage ends what was started on it
// and removes its directory.
//
// A job that still runs gets SIGTERM, a terminal SIGHUP, and both have 2 s ([Grace], if that
// is less) to end. Then the stage kills them, all puppets, and the rest of their trees. None
// of that fails the test. What does: a process that lives although its command had ended
// before the test, and that does not end within [Grace]; a process, a terminal or a file that
// cannot be ended or removed. That failure names the command that has left a process, and is
// at the line that started the command; in Ginkgo at the line of New, and it names the other
// one. A test that has failed before waits a quarter of a second at most for what it has
// left, and mentions it.
//
// The test is the one that uses the stage. A subtest makes a stage with its own T: a method
// of its parent's that fails calls FailNow of the parent, and package testing then ends the
// subtest with "test executed panic(nil) or runtime.Goexit: subtest may have called FailNow
// on a parent test", after the message.
func New(t T, options ...Option) *Stage {
	t.Helper()
	s := &Stage{limit: patience, scene: &scene{t: t, mark: fmt.Sprintf("%08x", rand.Uint32()), grace: patience / 3, timeline: newTimeline(), rows: 24, columns: 80}}
	s.ctx, s.stop = context.WithCancelCause(contextOf(t))
	s.spec = s.timeline.track("spec")
	err := errNoMain
	if hasMain {
		err = s.furnish(options)
	}
	if err != nil {
		os.RemoveAll(s.place)
		t.Fatalf("harness: set up the stage: %v", err)
	}
	s.spec.record(Event{What: "the stage is " + s.dir})
	s.strikeAtEnd()
	s.reportFailure()
	s.offerProgress()
	s.heedDeadline()
	interrupts.add(s)
	return s
}

// contextOf returns the context of a test that has one, as a *testing.T does.
func contextOf(t T) context.Context {
	if c, ok := t.(interface{ Context() context.Context }); ok {
		return c.Context()
	}
	return context.Background()
}

// furnish makes the programs, the directory, the environment and the socket of the
// puppets.
func (s *Stage) furnish(options []Option) (err error) {
	for _, option := range options {
		if err := option(s); err != nil {
			return err
		}
	}
	if s.tools, err = programs.open(); err != nil {
		return err
	}
	if s.image, err = programs.image(); err != nil {
		return err
	}
	if s.place, err = programs.place(); err != nil {
		return err
	}
	// /var is a link on macOS, and paths are compared.
	if s.place, err = filepath.EvalSymlinks(s.place); err != nil {
		return err
	}
	s.dir = s.backstage("stage")
	if err := os.Mkdir(s.dir, 0o700); err != nil {
		return err
	}
	home, socket := s.backstage("home"), s.backstage("puppets")
	if err := os.Mkdir(home, 0o700); err != nil {
		return err
	}
	if s.shellEnv, err = writeStartup(s.backstage("shells"), s.mark); err != nil {
		return err
	}
	s.base = []string{
		"PATH=" + s.tools + string(filepath.ListSeparator) + os.Getenv("PATH"),
		"HOME=" + home,
		"TMPDIR=" + s.dir,
		// macOS has no C.UTF-8: bash and perl print a warning.
		"LC_ALL=C",
		"TERM=dumb",
		wire.SocketVariable + "=" + socket,
	}
	s.base = append(s.base, instrumented()...)
	s.troupe, err = newTroupe(s, socket)
	return err
}

// instrumented returns the variables of programs that were built with -cover or -race.
func instrumented() (variables []string) {
	if dir := os.Getenv("GOCOVERDIR"); dir != "" {
		variables = append(variables, "GOCOVERDIR="+dir)
	}
	if options := os.Getenv("GORACE"); options != "" {
		variables = append(variables, "GORACE="+options)
	} else if buildSettings()["-race"] == "true" {
		variables = append(variables, "GORACE=atexit_sleep_ms=0") // else each exit takes a second
	}
	return variables
}

// Path returns a path in the private directory of the stage.
func (s *Stage) Path(elements ...string) string {
	return filepath.Join(append([]string{s.dir}, elements...)...)
}

// backstage returns a path beside the directory of the stage, for a file of the harness.
func (s *Stage) backstage(name string) string { return filepath.Join(s.place, name) }

// Setenv sets an environment variable for the processes that start from now on. They do not
// get the environment of the test: see [Stage.Command].
func (s *Stage) Setenv(name, value string) { s.env = append(s.env, name+"="+value) }

// changed calls Look of all observers, and remembers the processes of the trees where
// their orphans could not be told from others later.
func (s *Stage) changed() {
	if !adopted {
		s.note()
	}
	for _, look := range s.looks {
		look()
	}
}

// bound returns a context for one wait. Its cause says in words which limit has passed.
func (s *Stage) bound(limit time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(s.ctx, limit, fmt.Errorf("not within %v", limit))
}

// strike ends the processes of the stage, clears it and removes its directory. A process
// whose command had ended before the test, and that lives on after the grace time, an error
// of a terminal and a file that cannot be removed fail the test: strike returns the message,
// unless it has told it. If the test has failed already, they are mentioned.
func (s *Stage) strike() (message string) {
	s.t.Helper()
	interrupts.remove(s)
	s.stop(errors.New("the test has ended"))
	ctx, cancel := context.WithTimeout(context.Background(), 2*patience)
	defer cancel()
	failed := s.fails()
	s.explain(false)
	if !s.explained.Load() {
		s.before = s.remember()
	}
	s.endTrees(ctx)
	var left []leak
	for _, term := range s.terminals.list() {
		if err := term.close(); err != nil {
			left = append(left, leak{text: err.Error()})
		}
	}
	for _, lent := range s.loans {
		lent.Close()
	}
	left = append(left, s.clear(ctx)...)
	if !failed {
		left = s.charge(left)
	}
	s.dismiss()
	left = append(left, s.finish(ctx)...)
	if err := scratch.RemoveAll(s.place); err != nil {
		left = append(left, leak{text: err.Error()})
	}
	switch {
	case len(left) == 0:
		return ""
	case failed:
		s.mention(left)
		return ""
	}
	return leftBehind + linesOf(left, s.t)
}

// charge tells what is left and makes the report, if something is left. It returns what
// strike has to tell.
func (s *Stage) charge(left []leak) (later []leak) {
	s.t.Helper()
	if len(left) > 0 {
		s.Failed(leftBehind + linesOf(left, s.t))
		later = s.accuse(left)
		s.explain(true)
	}
	return later
}

// dismiss ends the wardens and closes what the trees have open.
func (s *Stage) dismiss() {
	for _, g := range s.guards.list() {
		g.close()
	}
	for _, j := range s.jobs.list() {
		j.close()
	}
	for _, tree := range s.trees.list() {
		if tree.oracle != nil {
			tree.oracle.close()
		}
	}
}

// finish calls what waits for the stage to be cleared.
func (s *Stage) finish(ctx context.Context) (left []leak) {
	ctx, cancel := context.WithTimeout(ctx, s.grace)
	defer cancel()
	for _, f := range s.last {
		if err := f(ctx); err != nil {
			left = append(left, leak{text: err.Error()})
		}
	}
	return left
}
