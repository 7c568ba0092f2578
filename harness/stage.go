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

// A Stage is where one spec plays: a private home directory and environment, the
// shells, jobs and puppets that were started in it, and the order in which
// all that is ended. One goroutine uses it.
type Stage struct {
	t             T
	tools         Tools
	dir           string // private, without symbolic links in its path
	env           []string
	user          bool   // shells are as users have them
	rows, columns int    // of new terminals
	mark          string // no other stage has it
	troupe        *troupe
	shells        []*Shell
	jobs          []*Job
	loans         []io.Closer                   // what puppets have lent to this process
	looks         []func()                      // called whenever something has visibly happened on the stage
	last          []func(context.Context) error // called when it is cleared; errors are residue
	// timeline is what was seen here, sources what others have written down.
	timeline   *timeline
	spec       *track
	sources    []func() []Event
	reported   bool
	failed     bool // and the timeline says so
	crossCheck bool // jobs have more witnesses than their oracle
	// grace is how long what nobody killed may take to end by itself, once
	// all else has: a monitor, or a process that keeps a command's output open.
	grace time.Duration
}

// NewStage sets a stage up. When the test ends it ends everything that was started
// there, and fails the test if something stays.
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

// furnish makes the directory, the environment and the puppets' socket.
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
		// macOS has no C.UTF-8, and bash and perl complain about what they do not have.
		"LC_ALL=C",
		"TERM=dumb",
		"BASH_SILENCE_DEPRECATION_WARNING=1",
		wire.SocketVariable + "=" + socket,
	}
	s.troupe, err = newTroupe(s, socket)
	return err
}

// Path is a path in the private directory of the stage.
func (s *Stage) Path(elements ...string) string {
	return filepath.Join(append([]string{s.dir}, elements...)...)
}

// Setenv sets a variable for all that is started from now on.
func (s *Stage) Setenv(name, value string) { s.env = append(s.env, name+"="+value) }

// happened lets those look who want to see the stage before it changes again.
func (s *Stage) changed() {
	for _, look := range s.looks {
		look()
	}
}

// command is argv in the environment of the stage. It knows the suite's own
// programs by their names.
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

// strike ends all that was started and clears the stage. What does not go away
// by itself, once every process of the spec has been killed, is residue: it
// is ended too, and reported. A failed spec has an excuse.
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

// finish does what is to be done once nobody is on the stage any more.
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

// removeAll copes with directories that a spec made read-only.
func removeAll(dir string) error {
	filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if err == nil && entry.IsDir() {
			os.Chmod(path, 0o700)
		}
		return nil // what it could not open, RemoveAll will name
	})
	return os.RemoveAll(dir)
}
