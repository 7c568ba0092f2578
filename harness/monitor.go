//go:build darwin || linux

package harness

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// A Monitor keeps a runtime for as long as its processes live. This is all
// that a scenario needs of one; whoever implements it can be put through the
// scenarios.
type Monitor interface {
	// Run is the command line that starts argv in a new runtime.
	Run(runtime string, argv ...string) []string
	// Shell is the command line that starts $SHELL in a new runtime.
	Shell(runtime string) []string
	// List names the runtimes that are there now.
	List(ctx context.Context) ([]string, error)
	// Evidence tells a reader what the monitor says and has logged.
	Evidence(ctx context.Context) string
}

// Gemini is this project's monitor, with a private store, driven by its
// command.
type Gemini struct {
	Store string // directory
	stage *Stage
	// journals and logs of runtimes by path, kept open: they can be read after
	// the runtime has been removed, when it should not have been.
	kept map[string]*os.File
}

// Gemini gives the stage a store of its own, named by MONITOR_STORE.
func (s *Stage) Gemini() *Gemini {
	g := &Gemini{Store: s.Path("store"), stage: s, kept: map[string]*os.File{}}
	s.Setenv("MONITOR_STORE", g.Store)
	s.look = append(s.look, g.keep)
	s.Observe(g.Events)
	s.last = append(s.last, g.release)
	return g
}

var _ Monitor = (*Gemini)(nil)

// Run implements Monitor.
func (g *Gemini) Run(runtime string, argv ...string) []string {
	return append([]string{"monitor", "run", "--name", runtime, "--"}, argv...)
}

// Shell implements Monitor.
func (g *Gemini) Shell(runtime string) []string {
	return []string{"monitor", "shell", "--name", runtime}
}

// List implements Monitor.
func (g *Gemini) List(ctx context.Context) ([]string, error) {
	result, err := g.stage.TryRun(ctx, "monitor", "list", "-q")
	if err != nil {
		return nil, fmt.Errorf("list: %w", err)
	}
	if result.Status != (Status{}) {
		return nil, fmt.Errorf("list: %v: %s", result.Status, result.Stderr)
	}
	return strings.Fields(result.Stdout), nil
}

// Path is a path in the directory of a runtime.
func (g *Gemini) Path(runtime string, elements ...string) string {
	return filepath.Join(append([]string{g.Store, "runtimes", runtime}, elements...)...)
}

// Members are the PIDs that the monitor counts as living in a runtime.
func (g *Gemini) Members(ctx context.Context, runtime string) ([]int, error) {
	status, err := g.info(ctx, runtime)
	var pids []int
	for _, m := range status.Members {
		pids = append(pids, m.PID)
	}
	return pids, err
}

// Watcher is the PID of the process that watches a runtime.
func (g *Gemini) Watcher(ctx context.Context, runtime string) (int, error) {
	status, err := g.info(ctx, runtime)
	return status.Monitor.PID, err
}

// A status is the part of "info --json" that scenarios need.
type status struct {
	Monitor struct{ PID int }
	Members []struct{ PID int }
}

func (g *Gemini) info(ctx context.Context, runtime string) (status, error) {
	var s status
	result, err := g.stage.TryRun(ctx, "monitor", "info", "--json", runtime)
	if err != nil {
		return s, fmt.Errorf("info: %w", err)
	}
	if result.Status != (Status{}) {
		return s, fmt.Errorf("info: %v: %s", result.Status, result.Stderr)
	}
	if err := json.Unmarshal([]byte(result.Stdout), &s); err != nil {
		return s, fmt.Errorf("info: %w", err)
	}
	return s, nil
}

// Log is what the monitor of a runtime has logged so far.
func (g *Gemini) Log(runtime string) string {
	text, _ := os.ReadFile(g.Path(runtime, "monitor.log")) // none is empty
	return string(text)
}

// Files are the paths of all that is left in the store, runtimes and trash.
func (g *Gemini) Files() []string {
	var left []string
	for _, pattern := range []string{"runtimes/*", "trash/*"} {
		found, _ := filepath.Glob(filepath.Join(g.Store, pattern))
		left = append(left, found...)
	}
	return left
}

// keep opens the journals and logs that are there now.
func (g *Gemini) keep() {
	for _, name := range []string{"journal.jsonl", "monitor.log"} {
		found, _ := filepath.Glob(g.Path("*", name))
		for _, path := range found {
			if file, err := os.Open(path); err == nil && g.kept[path] == nil {
				g.kept[path] = file
			} else if err == nil {
				file.Close()
			}
		}
	}
}

func (g *Gemini) release(context.Context) error {
	for _, file := range g.kept {
		file.Close() // was only read
	}
	return nil
}

// Evidence implements Monitor: the list, the records that are there, and the
// journals and logs of all runtimes that were seen.
func (g *Gemini) Evidence(ctx context.Context) string {
	var page strings.Builder
	listed, err := g.stage.TryRun(ctx, "monitor", "list")
	fmt.Fprintf(&page, "monitor list: %v, error %v\n%s%s", listed.Status, err, listed.Stdout, listed.Stderr)
	records, _ := filepath.Glob(g.Path("*", "runtime.json"))
	for _, path := range records {
		text, err := os.ReadFile(path)
		fmt.Fprintf(&page, "\n%s (error %v)\n%s\n", strings.TrimPrefix(path, g.Store), err, text)
	}
	g.keep()
	for _, path := range slices.Sorted(maps.Keys(g.kept)) {
		text, err := io.ReadAll(io.NewSectionReader(g.kept[path], 0, 1<<20))
		fmt.Fprintf(&page, "\n%s (error %v)\n%s\n", strings.TrimPrefix(path, g.Store), err, text)
	}
	return page.String()
}

// Evidence is what a reader of a failed spec needs: what passed through each
// terminal, what each job wrote, and which processes are there now. Call it
// before the stage is cleared (DeferOnFailure).
func (s *Stage) Evidence(ctx context.Context) string {
	var page strings.Builder
	for _, sh := range s.shells {
		fmt.Fprintf(&page, "terminal of %s, PID %d, someone lives: %v\n%s\n", sh.name, sh.PID(), sh.oracle.Held(), sh.Transcript())
	}
	for _, j := range s.jobs {
		fmt.Fprintf(&page, "job %q, PID %d, someone lives: %v\n%s\n", j.process.cmd.Args, j.PID(), j.oracle.Held(), j.Output())
	}
	found, err := s.remnants(ctx)
	fmt.Fprintf(&page, "processes (PID, parent, group, state, command), error %v\n", err)
	for _, r := range found {
		fmt.Fprintln(&page, r.line)
	}
	return page.String()
}
