//go:build darwin || linux

package harness

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/gemini-monitor/gemini/harness/internal/wire"
)

// A Stage is the surroundings of one test: a private directory, home and environment,
// and the shells, jobs and puppets that were started in it. One goroutine uses it.
type Stage struct {
	t             T
	tools         Tools
	dir           string // private, without symbolic links in its path
	env           []string
	user          bool   // UserProfile was called
	rows, columns int    // of new terminals
	mark          string // unique to the stage
	troupe        *troupe
	shells        []*Shell
	jobs          []*Job
	loans         []io.Closer                   // descriptors that puppets sent to this process
	looks         []func()                      // called when a prompt or a puppet has appeared
	last          []func(context.Context) error // called after the stage was cleared; an error fails the test
	// timeline has what the harness saw, sources return what observers have recorded.
	timeline   *timeline
	spec       *track
	sources    []func() []Event
	reported   bool
	failed     bool // the timeline has the failure
	crossCheck bool // CrossCheck was called
	// grace is how long a process may live that the stage has not started, a monitor
	// for example, after all others have ended.
	grace time.Duration
}

// NewStage returns a stage for a test, with tools first in its PATH. When the test ends,
// the stage ends all processes that were started on it, removes its directory, and
// fails the test if a process, a terminal or a file is left.
func NewStage(t T, tools Tools) *Stage {
	t.Helper()
	s := &Stage{t: t, tools: tools, mark: fmt.Sprintf("%08x", rand.Uint32()), grace: patience / 3, timeline: newTimeline(), rows: 24, columns: 80}
	s.spec = s.timeline.track("spec")
	if err := s.furnish(); err != nil {
		os.RemoveAll(s.dir)
		t.Fatalf("set up the stage: %v", err)
	}
	s.spec.record(Event{What: "the stage is " + s.dir})
	t.Cleanup(s.strike)
	s.reportFailure()
	s.offerProgress()
	return s
}

// furnish makes the directory, the environment and the socket of the puppets.
func (s *Stage) furnish() error {
	dir, err := os.MkdirTemp("", "stage")
	if err != nil {
		return err
	}
	// /var is a link on macOS, and paths are compared.
	if s.dir, err = filepath.EvalSymlinks(dir); err != nil {
		return err
	}
	home, socket := s.Path("home"), s.Path("puppets")
	if err := os.Mkdir(home, 0o700); err != nil {
		return err
	}
	if err := writeStartup(home, s.mark); err != nil {
		return err
	}
	s.env = []string{
		"PATH=" + s.tools.Dir + string(filepath.ListSeparator) + os.Getenv("PATH"),
		"HOME=" + home,
		"ZDOTDIR=" + home,
		"ENV=" + filepath.Join(home, ".shrc"),
		"TMPDIR=" + s.dir,
		// macOS has no C.UTF-8: bash and perl print a warning.
		"LC_ALL=C",
		"TERM=dumb",
		"BASH_SILENCE_DEPRECATION_WARNING=1",
		wire.SocketVariable + "=" + socket,
	}
	s.troupe, err = newTroupe(s, socket)
	return err
}

// Path returns a path in the private directory of the stage.
func (s *Stage) Path(elements ...string) string {
	return filepath.Join(append([]string{s.dir}, elements...)...)
}

// Setenv sets an environment variable for the processes that start from now on.
func (s *Stage) Setenv(name, value string) { s.env = append(s.env, name+"="+value) }

// changed calls Look of all observers.
func (s *Stage) changed() {
	for _, look := range s.looks {
		look()
	}
}

// command returns argv as a command in the environment of the stage. A name without a
// slash may be one of the tools.
func (s *Stage) command(argv ...string) *exec.Cmd {
	cmd := exec.Command(argv[0], argv[1:]...)
	if !strings.Contains(argv[0], "/") {
		if own := filepath.Join(s.tools.Dir, argv[0]); isFile(own) {
			cmd.Path, cmd.Err = own, nil
		}
	}
	cmd.Env = append([]string(nil), s.env...)
	cmd.Dir = s.dir
	return cmd
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// strike kills the processes of the stage, clears it and removes its directory. A
// process that lives on after the grace time, an error of a terminal and a file that
// cannot be removed fail the test, unless it has failed already.
func (s *Stage) strike() {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*patience)
	defer cancel()
	s.explain(ctx, false)
	s.troupe.end()
	var problems []string
	for _, sh := range s.shells {
		if err := sh.close(); err != nil {
			problems = append(problems, err.Error())
		}
	}
	for _, j := range s.jobs {
		j.process.end()
	}
	for _, lent := range s.loans {
		lent.Close()
	}
	problems = append(problems, s.clear(ctx)...)
	s.explain(ctx, len(problems) > 0)
	for _, sh := range s.shells {
		sh.oracle.close()
	}
	for _, j := range s.jobs {
		j.oracle.close()
	}
	problems = append(problems, s.finish(ctx)...)
	if err := removeAll(s.dir); err != nil {
		problems = append(problems, err.Error())
	}
	if len(problems) > 0 && !s.t.Failed() {
		s.t.Errorf("the spec left something behind:\n%s", strings.Join(problems, "\n"))
	}
}

// finish calls what waits for the stage to be cleared.
func (s *Stage) finish(ctx context.Context) (problems []string) {
	ctx, cancel := context.WithTimeout(ctx, s.grace)
	defer cancel()
	for _, f := range s.last {
		if err := f(ctx); err != nil {
			problems = append(problems, err.Error())
		}
	}
	return problems
}

// removeAll removes dir. Directories in it may be read-only.
func removeAll(dir string) error {
	filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if err == nil && entry.IsDir() {
			os.Chmod(path, 0o700)
		}
		return nil // RemoveAll reports what cannot be opened
	})
	return os.RemoveAll(dir)
}
