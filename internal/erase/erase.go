//go:build darwin || linux

// Package erase deletes directories with all that is in them, and nothing that is
// mounted there.
package erase

import (
	"errors"
	"io"
	"os"
	"path/filepath"
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
func All(dir string) error {
	if err := Unmounted(dir); err != nil {
		return err
	}
	return unlooked(dir)
}

// InTurn deletes what has the name first in dir, and then all the rest, as All does. Where
// some of the former is left, the rest is left too.
func InTurn(dir, first string) error {
	if err := Unmounted(dir); err != nil {
		return err
	}
	first = filepath.Join(dir, first)
	if _, err := os.Lstat(first); err == nil { // else dir may have to be opened first
		if err := unlooked(first); err != nil {
			return err
		}
	}
	return unlooked(dir)
}

// unlooked does what All does without a look at the mount points first.
func unlooked(dir string) error {
	parent, err := os.Open(filepath.Dir(dir))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer parent.Close()
	e := &eraser{path: dir}
	e.entry(int(parent.Fd()), filepath.Base(dir), filepath.Dir(dir), 0)
	return e.failed
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
	if inner, ok := errors.AsType[*os.PathError](err); ok {
		err = inner.Err
	}
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
