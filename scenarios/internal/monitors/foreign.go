//go:build darwin || linux

package monitors

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/gemini-monitor/gemini/harness"
)

// AdapterVariable names the environment variable with the absolute path of an
// adapter: the program that drives a monitor that is not Gemini. It is called as
//
//	ADAPTER run NAME -- COMMAND [ARG...]
//	ADAPTER shell NAME
//	ADAPTER list
//
// docs/your-own-monitor.md has the conditions that an adapter meets.
const AdapterVariable = "GEMINI_ADAPTER"

// Foreign is any monitor, driven through an adapter.
type Foreign struct {
	Adapter string // path
	Store   string // directory, named by MONITOR_STORE
	stage   *harness.Stage
}

// NewForeign returns the monitor behind an adapter, with an empty store on the
// stage. The error reports an adapter that is not the absolute path of a file.
func NewForeign(stage *harness.Stage, adapter string) (*Foreign, error) {
	info, err := os.Stat(adapter)
	if err != nil || !filepath.IsAbs(adapter) || !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s: %q is not the absolute path of a program", AdapterVariable, adapter)
	}
	f := &Foreign{Adapter: adapter, Store: stage.Path("store"), stage: stage}
	if err := os.Mkdir(f.Store, 0o700); err != nil {
		return nil, fmt.Errorf("make a store for the adapter: %w", err)
	}
	stage.Setenv("MONITOR_STORE", f.Store)
	return f, nil
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
	return list(ctx, f.stage, f.Adapter, "list")
}

// list returns the words that a command prints, the names of runtimes.
func list(ctx context.Context, stage *harness.Stage, argv ...string) ([]string, error) {
	result, err := stage.TryRun(argv...)
	if err != nil {
		return nil, fmt.Errorf("list: %w", err)
	}
	if result.Status != (harness.Status{}) {
		return nil, fmt.Errorf("list: %v: %s", result.Status, result.Stderr)
	}
	return strings.Fields(result.Stdout), nil
}

// Report implements Monitor: the list, and the paths in the store.
func (f *Foreign) Report(ctx context.Context) string {
	var page strings.Builder
	listed, err := f.stage.TryRun(f.Adapter, "list")
	fmt.Fprintf(&page, "%s list: %v, error %v\n%s%s", f.Adapter, listed.Status, err, listed.Stdout, listed.Stderr)
	fmt.Fprintln(&page, "the store:")
	err = filepath.WalkDir(f.Store, func(path string, entry fs.DirEntry, err error) error {
		fmt.Fprintf(&page, "%s (error %v)\n", strings.TrimPrefix(path, f.Store+"/"), err)
		if errors.Is(err, fs.ErrNotExist) {
			return nil // it was removed during the walk
		}
		return err
	})
	if err != nil {
		fmt.Fprintln(&page, err)
	}
	return page.String()
}
