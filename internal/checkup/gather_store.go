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
		f.Store.Err = open.err
		return
	}
	dir := open.store.Dir()
	var asking sync.WaitGroup
	asking.Go(func() {
		f.Store = within(ctx, o, func() Store { return storeAt(open.store) }, func(err error) Store {
			found, _ := mount.Of(dir)
			return Store{Dir: dir, Err: err, FileSystem: FileSystem{Kind: found.Kind, Point: found.Point, Remote: found.Remote}}
		})
	})
	asking.Go(func() {
		f.Runtimes = within(ctx, o, func() Runtimes { return runtimesOf(open.store) }, func(err error) Runtimes { return Runtimes{Err: err} })
	})
	asking.Go(func() { f.Resident = residentOf(ctx, o, open.store) })
	asking.Go(func() {
		f.Around = within(ctx, o, func() Around { return around(open.store, o.Outer) }, func(error) Around { return Around{} })
	})
	asking.Wait()
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

// runtimesOf returns the runtimes of a store, and looks for the longest log.
func runtimesOf(s *monitor.Store) (r Runtimes) {
	survey, err := s.Survey()
	if err != nil {
		return Runtimes{Err: err}
	}
	if r.All, r.Err = survey.All(); r.Err != nil {
		return r
	}
	for _, status := range r.All {
		if info, err := os.Lstat(status.Log); err == nil && info.Mode().IsRegular() && info.Size() > r.Size {
			r.Log, r.Size = status.Log, info.Size()
		}
	}
	return r
}

// around returns the runtime that this process is in: of the store, or of the one that the
// environment names.
func around(s *monitor.Store, outer string) Around {
	if name := currentIn(s); name != "" {
		return Around{Runtime: name}
	}
	if o := otherStore(s, outer); o != nil {
		if name := currentIn(o); name != "" {
			return Around{Runtime: name, Store: o.Dir()}
		}
	}
	return Around{}
}

func currentIn(s *monitor.Store) string {
	survey, err := s.Survey()
	if err != nil {
		return ""
	}
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
