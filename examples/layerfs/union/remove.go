package union

import (
	"os"
	"strings"
	"syscall"
)

// Unlink removes a name that leads to no directory.
func (s *Stack) Unlink(path string) syscall.Errno {
	return s.remove(path, func(e Entry) syscall.Errno {
		if e.IsDir() {
			return syscall.EISDIR
		}
		return 0
	})
}

// Rmdir removes a directory that shows no names.
func (s *Stack) Rmdir(path string) syscall.Errno {
	return s.remove(path, func(e Entry) syscall.Errno {
		if !e.IsDir() {
			return syscall.ENOTDIR
		}
		return s.empty(path)
	})
}

// empty returns ENOTEMPTY where a directory shows names.
func (s *Stack) empty(path string) syscall.Errno {
	names, errno := s.List(path)
	if errno == 0 && len(names) > 0 {
		return syscall.ENOTEMPTY
	}
	return errno
}

func (s *Stack) remove(path string, allowed func(Entry) syscall.Errno) syscall.Errno {
	if s.scratch == "" {
		return syscall.EROFS
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if path == "" {
		return syscall.EBUSY
	}
	e, errno := s.Lookup(path)
	if errno == 0 {
		errno = allowed(e)
	}
	if errno != 0 {
		return errno
	}
	return s.clear(path, e)
}

// clear removes what a path leads to: it hides the name, if a layer has it, and then removes
// what the scratch layer has. A crash between leaves both, and then nothing has changed.
func (s *Stack) clear(path string, e Entry) syscall.Errno {
	if errno := s.hide(path); errno != 0 {
		return errno
	}
	defer s.dirs.forget(path)
	if !e.Upper {
		return 0
	}
	if !e.IsDir() {
		return errnoOf(os.Remove(e.Path))
	}
	aside := s.fresh() // with the names in it that hide others
	if err := os.Rename(e.Path, aside); err != nil {
		return errnoOf(err)
	}
	_ = os.RemoveAll(aside)
	return 0
}

// hide hides a name where a layer has it.
func (s *Stack) hide(path string) syscall.Errno {
	parent, name := split(path)
	covered, errno := s.below(parent, name)
	if errno != 0 || !covered {
		return errno
	}
	dir, errno := s.raise(parent, -1)
	if errno != 0 {
		return errno
	}
	return errnoOf(touch(dir + "/" + hidden + name))
}

// below reports whether a layer below the scratch layer shows a name.
func (s *Stack) below(parent, name string) (bool, syscall.Errno) {
	d, errno := s.dir(parent)
	if errno != 0 {
		return false, errno
	}
	layers := &dir{}
	for _, p := range d.parts {
		if !p.upper {
			layers.parts = append(layers.parts, p)
		}
	}
	switch _, _, errno := s.find(layers, name); errno {
	case 0:
		return true, 0
	case syscall.ENOENT:
		return false, 0
	default:
		return false, errno
	}
}

// Rename gives a file or directory another name. A file of a layer is copied first. Of
// directories it takes those that are in the scratch layer alone: the error is EXDEV for one
// that a layer has or has a part of, as with overlayfs, and then mv(1) copies.
func (s *Stack) Rename(old, path string, replace bool) syscall.Errno {
	if s.scratch == "" {
		return syscall.EROFS
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	parent, name := split(path)
	if strings.HasPrefix(name, hidden) {
		return syscall.EINVAL
	}
	e, errno := s.Lookup(old)
	if errno == 0 {
		errno = s.canReplace(e, path, replace)
	}
	if errno == 0 && e.IsDir() {
		errno = s.movable(old, path)
	}
	if errno == 0 && e.IsDir() {
		errno = s.makeRoom(path)
	}
	if errno != 0 || old == path {
		return errno
	}
	from, errno := s.raise(old, -1)
	if errno != 0 {
		return errno
	}
	dir, errno := s.raise(parent, -1)
	if errno != 0 {
		return errno
	}
	to := dir + "/" + name
	if errno = s.hide(old); errno != 0 {
		return errno
	}
	if e.IsDir() && there(dir+"/"+hidden+name) {
		if err := touch(from + "/" + opaque); err != nil {
			return errnoOf(err)
		}
	}
	if err := os.Rename(from, to); err != nil {
		return errnoOf(err)
	}
	s.dirs.forget(old)
	s.dirs.forget(path)
	return reveal(dir, name)
}

// movable returns 0 where a directory is in the scratch layer alone.
func (s *Stack) movable(old, path string) syscall.Errno {
	if strings.HasPrefix(path, old+"/") {
		return syscall.EINVAL
	}
	d, errno := s.dir(old)
	if errno != 0 {
		return errno
	}
	if len(d.parts) != 1 || !d.parts[0].upper {
		return syscall.EXDEV
	}
	return 0
}

// CanReplace returns why a rename of a file or directory cannot put it in place of what a
// path leads to, or 0.
func (s *Stack) CanReplace(old, path string, replace bool) syscall.Errno {
	e, errno := s.Lookup(old)
	if errno != 0 {
		return errno
	}
	return s.canReplace(e, path, replace)
}

func (s *Stack) canReplace(e Entry, path string, replace bool) syscall.Errno {
	found, errno := s.Lookup(path)
	switch {
	case errno == syscall.ENOENT:
		return 0
	case errno != 0:
		return errno
	case !replace:
		return syscall.EEXIST
	case found.Path == e.Path:
		return 0
	case e.IsDir() && !found.IsDir():
		return syscall.ENOTDIR
	case !e.IsDir() && found.IsDir():
		return syscall.EISDIR
	case !found.IsDir():
		return 0
	}
	return s.empty(path)
}

// makeRoom removes the empty directory that a directory is to replace.
func (s *Stack) makeRoom(path string) syscall.Errno {
	found, errno := s.Lookup(path)
	if errno == syscall.ENOENT {
		return 0
	}
	if errno != 0 {
		return errno
	}
	return s.clear(path, found)
}
