//go:build darwin || linux

package harness

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// AdapterVariable names the variable with the path of an adapter, the program
// that drives a monitor which is not ours. It is called as
//
//	ADAPTER run NAME -- COMMAND [ARG...]
//	ADAPTER shell NAME
//	ADAPTER list
//
// The first two start the command, or $SHELL, in a new runtime and end as it
// does. The command has the standard streams, the environment and all other
// descriptors of the adapter; whoever watches it has none of them, or the
// oracle takes the watcher for a member. list prints the names of the runtimes
// that are there now, one a line. MONITOR_STORE is an empty directory for the
// adapter's own use, another one for each spec.
const AdapterVariable = "GEMINI_ADAPTER"

// Foreign is anybody's monitor, driven through an adapter.
type Foreign struct {
	Adapter string // path
	Store   string // directory, named by MONITOR_STORE
	stage   *Stage
}

// Foreign gives the stage a store for the monitor behind an adapter.
func (s *Stage) Foreign(adapter string) *Foreign {
	s.t.Helper()
	f := &Foreign{Adapter: adapter, Store: s.Path("store"), stage: s}
	if !filepath.IsAbs(adapter) || !isFile(adapter) {
		s.t.Fatalf("%s: %q is not the absolute path of a program", AdapterVariable, adapter)
	}
	if err := os.Mkdir(f.Store, 0o700); err != nil {
		s.t.Fatalf("give the adapter a store: %v", err)
	}
	s.Setenv("MONITOR_STORE", f.Store)
	return f
}

var _ Monitor = (*Foreign)(nil)

// Run implements Monitor.
func (f *Foreign) Run(runtime string, argv ...string) []string {
	return append([]string{f.Adapter, "run", runtime, "--"}, argv...)
}

// Shell implements Monitor.
func (f *Foreign) Shell(runtime string) []string {
	return []string{f.Adapter, "shell", runtime}
}

// List implements Monitor.
func (f *Foreign) List(ctx context.Context) ([]string, error) {
	result, err := f.stage.TryRun(ctx, f.Adapter, "list")
	if err != nil {
		return nil, fmt.Errorf("list: %w", err)
	}
	if result.Status != (Status{}) {
		return nil, fmt.Errorf("list: %v: %s", result.Status, result.Stderr)
	}
	return strings.Fields(result.Stdout), nil
}

// Evidence implements Monitor: the list, and what is in the store.
func (f *Foreign) Evidence(ctx context.Context) string {
	var page strings.Builder
	listed, err := f.stage.TryRun(ctx, f.Adapter, "list")
	fmt.Fprintf(&page, "%s list: %v, error %v\n%s%s", f.Adapter, listed.Status, err, listed.Stdout, listed.Stderr)
	fmt.Fprintln(&page, "the store:")
	err = filepath.WalkDir(f.Store, func(path string, entry fs.DirEntry, err error) error {
		fmt.Fprintf(&page, "%s (error %v)\n", strings.TrimPrefix(path, f.Store+"/"), err)
		if errors.Is(err, fs.ErrNotExist) {
			return nil // it went while we looked
		}
		return err
	})
	if err != nil {
		fmt.Fprintln(&page, err)
	}
	return page.String()
}

// Strangers are the PIDs of the processes that run on the stage and that no spec
// has started: a monitor's own. What a spec's shells and commands have started
// counts too, so ask while there are puppets only.
func (s *Stage) Strangers(ctx context.Context) ([]int, error) {
	found, err := s.remnants(ctx)
	if err != nil {
		return nil, err
	}
	own := s.own()
	var strangers []int
	for _, r := range found {
		if !slices.Contains(own, r.pid) {
			strangers = append(strangers, r.pid)
		}
	}
	return strangers, nil
}

// own is every process that the stage knows by name.
func (s *Stage) own() []int {
	var pids []int
	for _, j := range s.jobs {
		pids = append(pids, j.PID())
	}
	for _, sh := range s.shells {
		pids = append(pids, sh.PID())
	}
	s.troupe.mu.Lock()
	defer s.troupe.mu.Unlock()
	for _, p := range s.troupe.members {
		pids = append(pids, p.pid)
	}
	return pids
}
