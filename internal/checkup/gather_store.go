package checkup

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"github.com/gemini-monitor/gemini/internal/mount"
	"github.com/gemini-monitor/gemini/monitor"
)

// An opened store, or why it cannot be opened.
type opened struct {
	store *monitor.Store
	err   error
}

// gatherStore collects what is about the store.
func gatherStore(ctx context.Context, o Options, f *Facts) {
	open := within(ctx, o, func() opened {
		store, err := o.Open()
		return opened{store, err}
	}, func(err error) opened { return opened{err: err} })
	if open.err != nil {
		f.Store = unopened(o.Dir, open.err)
		return
	}
	dir := open.store.Dir()
	var asking sync.WaitGroup
	asking.Go(func() {
		f.Store = within(ctx, o, func() Store { return storeAt(open.store) }, func(err error) Store {
			return unopened(dir, err)
		})
	})
	asking.Go(func() {
		found := within(ctx, o, func() population { return populationOf(open.store, o.Outer) }, func(err error) population {
			return population{Runtimes: Runtimes{Err: err}}
		})
		f.Runtimes, f.Around = found.Runtimes, found.Around
	})
	asking.Go(func() { f.Resident = residentOf(ctx, o, open.store) })
	asking.Wait()
}

// unopened is a store that cannot be looked at. Its file system is not asked, for it may
// hang.
func unopened(dir string, err error) Store {
	if dir == "" {
		return Store{Err: err}
	}
	if abs, failed := filepath.Abs(dir); failed == nil {
		dir = abs
	}
	found, _ := mount.Of(dir)
	return Store{Dir: dir, Err: err, FileSystem: FileSystem{Kind: found.Kind, Point: found.Point, Remote: found.Remote}}
}

// storeAt asks the file system of the store.
func storeAt(s *monitor.Store) Store {
	there := true
	dir, err := filepath.EvalSymlinks(s.Dir())
	if errors.Is(err, fs.ErrNotExist) {
		there, dir, err = false, nearest(s.Dir()), nil
	}
	if err != nil {
		return Store{Dir: s.Dir(), Err: err}
	}
	found, _ := mount.Of(dir)
	bytes, files := room(dir)
	return Store{
		Dir: s.Dir(), There: there, Unwritable: writable(dir), Unswept: s.Unswept(),
		FileSystem: FileSystem{Kind: found.Kind, Point: found.Point, Remote: found.Remote, Bytes: bytes, Files: files},
	}
}

// nearest returns the directory above a path that exists, without links.
func nearest(path string) string {
	for {
		above := filepath.Dir(path)
		if above == path {
			return path
		}
		path = above
		if real, err := filepath.EvalSymlinks(path); err == nil {
			return real
		}
	}
}

// A population is what one survey of a store shows.
type population struct {
	Runtimes
	Around
}

// populationOf returns the runtimes of a store, and the one that this process is in: of the
// store, or of the one that the environment names.
func populationOf(s *monitor.Store, outer string) (p population) {
	survey, err := s.Survey()
	if err != nil {
		return population{Runtimes: Runtimes{Err: err}}
	}
	p.All, p.Err = survey.All()
	p.Log, p.Size = longest(p.All)
	if p.Runtime = current(survey); p.Runtime != "" {
		return p
	}
	if o := otherStore(s, outer); o != nil {
		if survey, err := o.Survey(); err == nil {
			p.Runtime, p.Store = current(survey), o.Dir()
		}
	}
	return p
}

// longest returns the longest log of some runtimes, and its size.
func longest(all []monitor.Status) (log string, size int64) {
	for _, status := range all {
		if info, err := os.Lstat(status.Log); err == nil && info.Mode().IsRegular() && info.Size() > size {
			log, size = status.Log, info.Size()
		}
	}
	return log, size
}

// current returns the name of the runtime that this process is in, or "".
func current(survey *monitor.Survey) string {
	status, err := survey.Current()
	if err != nil {
		return ""
	}
	return status.Name
}

// otherStore returns the store in a directory, or nil where that is none, or the same.
func otherStore(s *monitor.Store, dir string) *monitor.Store {
	if dir == "" {
		return nil
	}
	other, err := monitor.Open(dir)
	if err != nil || other.Dir() == s.Dir() {
		return nil
	}
	return other
}
