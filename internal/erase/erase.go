//go:build darwin || linux

// Package erase deletes directories with all that is in them, and nothing that is
// mounted there.
package erase

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/gemini-monitor/gemini/internal/mount"
)

// ErrMounted reports that a file system is mounted in a directory that is to be
// deleted.
var ErrMounted = errors.New("a file system is mounted there; unmount it")

// deepest is how many levels are open at a time. What lies deeper is moved up
// first, so that the number of descriptors does not grow with the depth.
const deepest = 16

// All deletes dir and all below it: links themselves and not what they point to. It
// crosses no mount point: where a file system is mounted at dir or below, nothing
// is deleted, and where one appears meanwhile, All stops there. The error is
// [ErrMounted] then, with the mount point in its text.
//
// Directories that their owner cannot write to or enter are opened first. What
// cannot be deleted is left, the rest goes, and the error is the first one. Other
// processes may delete the same directory at the same time. A dir that does not
// exist is no error.
func All(dir string) error { return Within(filepath.Dir(dir), filepath.Base(dir)) }

// Within deletes what has the last of the names, as [All] does. The others are the way to
// it from base: directories, each in the one before. Where one of them is a link or a
// mount point, nothing is deleted.
func Within(base string, names ...string) error {
	if err := Unmounted(filepath.Join(base, filepath.Join(names...))); err != nil {
		return err
	}
	return unlooked(base, names...)
}

// InTurn deletes what has the name first in a directory, and then the directory with all the
// rest, as [Within] does. Where some of the former is left, the rest is left too.
func InTurn(first, base string, names ...string) error {
	dir := filepath.Join(base, filepath.Join(names...))
	if err := Unmounted(dir); err != nil {
		return err
	}
	if holds(dir, first) { // else dir may have to be opened first
		if err := unlooked(base, append(slices.Clip(names), first)...); err != nil {
			return err
		}
	}
	return unlooked(base, names...)
}

// holds reports whether a directory, and no link to one, is seen to have an entry.
func holds(dir, name string) bool {
	info, err := os.Lstat(dir)
	if err == nil && info.IsDir() {
		_, err = os.Lstat(filepath.Join(dir, name))
		return err == nil
	}
	return false
}

// unlooked does the same without a look at the mount points first.
func unlooked(base string, names ...string) error {
	way, last := names[:len(names)-1], names[len(names)-1]
	parent, at, err := walk(base, way)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return &os.PathError{Op: "delete", Path: at, Err: err}
	}
	defer parent.Close()
	e := &eraser{path: filepath.Join(at, last)}
	e.entry(int(parent.Fd()), last, at, 0)
	return e.failed
}

// Reach returns an error where one of the names, each in the one before and the first in
// base, is no directory, a link or a mount point.
func Reach(base string, names ...string) error {
	dir, at, err := walk(base, names)
	if err != nil {
		return &os.PathError{Op: "open", Path: at, Err: err}
	}
	return dir.Close()
}

// walk opens the directory that the way leads to from base, and returns its path. After
// an error that is the path of what could not be opened.
func walk(base string, way []string) (dir *os.File, at string, err error) {
	at = base
	if dir, err = os.Open(base); err != nil {
		return nil, at, cause(err)
	}
	for _, name := range way {
		at = filepath.Join(at, name)
		above := dir
		dir, err = enter(int(above.Fd()), name)
		above.Close()
		if err != nil {
			return nil, at, err
		}
	}
	return dir, at, nil
}

// cause returns an error without the path that it names.
func cause(err error) error {
	if inner, ok := errors.AsType[*os.PathError](err); ok {
		return inner.Err
	}
	return err
}

// An eraser deletes one tree.
type eraser struct {
	path   string // of the tree
	top    int    // its descriptor, while levels below are open
	moved  int    // how many directories were moved up
	gone   int    // how many entries are not where they were
	failed error  // the first failure
	ended  bool   // a mount point was met
}

// fail notes a failure. What another process has deleted meanwhile is none.
func (e *eraser) fail(path string, err error) {
	if errors.Is(err, os.ErrNotExist) {
		return
	}
	err = cause(err)
	if errors.Is(err, ErrMounted) {
		e.ended = true
	}
	if e.failed == nil {
		e.failed = &os.PathError{Op: "delete", Path: path, Err: err}
	}
}

// entry deletes what has a name in the directory that is open as parent.
func (e *eraser) entry(parent int, name, at string, depth int) {
	path := filepath.Join(at, name)
	var stat unix.Stat_t
	err := retry(func() error { return unix.Fstatat(parent, name, &stat, unix.AT_SYMLINK_NOFOLLOW) })
	if err == nil && stat.Mode&unix.S_IFMT == unix.S_IFDIR {
		e.directory(parent, name, path, depth)
		return
	}
	if err == nil {
		err = retry(func() error { return unix.Unlinkat(parent, name, 0) })
	}
	e.went(path, err)
}

// went notes what became of an entry.
func (e *eraser) went(path string, err error) {
	if err != nil {
		e.fail(path, err)
		return
	}
	e.gone++
}

// directory deletes a directory and what is in it.
func (e *eraser) directory(parent int, name, path string, depth int) {
	if depth > deepest {
		e.moveUp(parent, name, path)
		return
	}
	dir, err := enter(parent, name)
	if err != nil {
		e.fail(path, err)
		return
	}
	if depth == 0 {
		e.top = int(dir.Fd())
	}
	e.contents(dir, path, depth)
	dir.Close()
	if e.ended {
		return
	}
	e.went(path, retry(func() error { return unix.Unlinkat(parent, name, unix.AT_REMOVEDIR) }))
}

// contents deletes what is in an open directory. It lists the directory anew until
// there is nothing or nothing goes: a deletion may make a list skip entries, and what
// is moved up is added to the top.
func (e *eraser) contents(dir *os.File, path string, depth int) {
	for progress := true; progress && !e.ended; {
		before := e.gone
		for !e.ended {
			names, err := dir.Readdirnames(1024)
			for _, name := range names {
				if !e.ended {
					e.entry(int(dir.Fd()), name, path, depth+1)
				}
			}
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				e.fail(path, err)
				return
			}
		}
		progress = e.gone > before
		if _, err := dir.Seek(0, io.SeekStart); err != nil {
			e.fail(path, err)
			return
		}
	}
}

// moveUp moves a directory to the top of the tree, under a name of its own.
func (e *eraser) moveUp(parent int, name, path string) {
	dir, err := enter(parent, name) // moving a directory writes to it
	if err == nil {
		dir.Close()
		for {
			e.moved++
			err = retry(func() error {
				return unix.Renameat(parent, name, e.top, ".deep-"+strconv.Itoa(e.moved))
			})
			if err != unix.EEXIST && err != unix.ENOTEMPTY && err != unix.ENOTDIR {
				break
			}
		}
	}
	e.went(path, err)
}

// retry calls again what a signal interrupted.
func retry(call func() error) error {
	for {
		if err := call(); err != unix.EINTR {
			return err
		}
	}
}

// Unmounted returns nil if no file system is mounted at a directory or below. Else
// the error is [ErrMounted], with the first mount point, or why the mount points are
// not known.
func Unmounted(dir string) error {
	point, err := mount.Below(dir)
	if err == nil && point != "" {
		err = &os.PathError{Op: "delete", Path: point, Err: ErrMounted}
	}
	return err
}
