//go:build darwin || linux

package monitors

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

	"github.com/gemini-monitor/gemini/harness"
)

// Gemini is this project's monitor, driven through its command line.
type Gemini struct {
	Store string // directory
	stage *harness.Stage
	// kept has the journals and logs of runtimes by path. They stay open, so that
	// they can be read after their runtime was removed.
	kept map[string]*os.File
}

// NewGemini returns the monitor with a store of its own on the stage, which
// MONITOR_STORE names. Its journals and logs become part of the stage's timeline.
func NewGemini(stage *harness.Stage) *Gemini {
	g := &Gemini{Store: stage.Path("store"), stage: stage, kept: map[string]*os.File{}}
	stage.Setenv("MONITOR_STORE", g.Store)
	stage.Setenv("MONITOR_IDLE", "0s") // so that no process outlives the spec
	stage.Observe(harness.Observer{Look: g.keep, Events: g.events, Close: g.release})
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
	return list(ctx, g.stage, "monitor", "list", "-q")
}

// Path returns a path in the directory of a runtime.
func (g *Gemini) Path(runtime string, elements ...string) string {
	return filepath.Join(append([]string{g.Store, "runtimes", runtime}, elements...)...)
}

// Members returns the PIDs of the members of a runtime, as the monitor counts them.
func (g *Gemini) Members(ctx context.Context, runtime string) ([]int, error) {
	status, err := g.info(ctx, runtime)
	var pids []int
	for _, m := range status.Members {
		pids = append(pids, m.PID)
	}
	return pids, err
}

// PID returns the PID of the monitor of a runtime.
func (g *Gemini) PID(ctx context.Context, runtime string) (int, error) {
	status, err := g.info(ctx, runtime)
	return status.Monitor.PID, err
}

// A status is the part of "info --json" that scenarios use.
type status struct {
	Monitor struct{ PID int }
	Members []struct{ PID int }
}

func (g *Gemini) info(ctx context.Context, runtime string) (status, error) {
	var s status
	result, err := g.stage.TryRun("monitor", "info", "--json", runtime)
	if err != nil {
		return s, fmt.Errorf("info: %w", err)
	}
	if result.Status != (harness.Status{}) {
		return s, fmt.Errorf("info: %v: %s", result.Status, result.Stderr)
	}
	if err := json.Unmarshal([]byte(result.Stdout), &s); err != nil {
		return s, fmt.Errorf("info: %w", err)
	}
	return s, nil
}

// Log returns what the monitor of a runtime has logged so far, empty if it has no
// log.
func (g *Gemini) Log(runtime string) string {
	text, _ := os.ReadFile(g.Path(runtime, "monitor.log"))
	return string(text)
}

// Files returns the paths of the runtimes in the store and in its trash.
func (g *Gemini) Files() []string {
	var left []string
	for _, pattern := range []string{"runtimes/*", "trash/*"} {
		found, _ := filepath.Glob(filepath.Join(g.Store, pattern))
		left = append(left, found...)
	}
	return left
}

// keep opens the journals and logs that exist now.
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

// release closes the files that keep has opened.
func (g *Gemini) release() error {
	for _, file := range g.kept {
		file.Close() // it was only read
	}
	return nil
}

// Report implements Monitor: the list, the records and the log of the resident that exist
// now, and the journals and logs of all runtimes that existed at a look.
func (g *Gemini) Report(ctx context.Context) string {
	var page strings.Builder
	listed, err := g.stage.TryRun("monitor", "list")
	fmt.Fprintf(&page, "monitor list: %v, error %v\n%s%s", listed.Status, err, listed.Stdout, listed.Stderr)
	files, _ := filepath.Glob(g.Path("*", "runtime.json"))
	for _, path := range append(files, filepath.Join(g.Store, "resident.log")) {
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
