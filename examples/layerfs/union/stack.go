// Package union shows several directories, the layers, as one tree of files. The layers are
// read only. What is written goes to a scratch layer above them, if there is one.
//
// A name in a higher layer hides that name in the layers below it, and directories of one
// name are merged. A file ".wh.NAME" hides NAME of the layers below, and ".wh..wh..opq" in a
// directory hides all that the layers below have there: the layers of container images have
// both (OCI image specification, "Whiteouts"). Names that begin with ".wh." are not shown and
// cannot be made.
//
// A path is relative to the root of the union, without a slash at its ends; the root is "".
// Methods may be called from any goroutine. Those that only read take no lock while a layer is
// read, so a layer that does not answer holds up its readers alone.
package union

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
)

// The names that hide others.
const (
	hidden = ".wh."
	opaque = ".wh..wh..opq"
)

// A Stack is a union of layers.
type Stack struct {
	layers  []string // absolute, the top one first; without the scratch layer
	scratch string   // "" where nothing can be written
	work    string   // for files that are being copied, on the file system of scratch
	copied  func(path, to string)

	dirs dirs
	mu   sync.Mutex // held while the scratch layer is changed
	made uint64     // names in work so far
	done atomic.Uint64
}

// Copied returns how many bytes were copied to the scratch layer so far.
func (s *Stack) Copied() uint64 { return s.done.Load() }

// New returns a union of directories, the top one first. They have to be there.
func New(layers []string) (*Stack, error) {
	s := &Stack{}
	if len(layers) == 0 {
		return nil, errors.New("a union has at least one layer")
	}
	for _, layer := range layers {
		abs, err := filepath.Abs(layer)
		if err == nil {
			abs, err = filepath.EvalSymlinks(abs)
		}
		if err != nil {
			return nil, fmt.Errorf("layer %s: %w", layer, err)
		}
		if info, err := os.Stat(abs); err != nil {
			return nil, fmt.Errorf("layer %s: %w", layer, err)
		} else if !info.IsDir() {
			return nil, fmt.Errorf("layer %s: %w", layer, syscall.ENOTDIR)
		}
		s.layers = append(s.layers, abs)
	}
	return s, nil
}

// Unchecked is [New] for absolute paths without links that were checked before: it asks no
// layer.
func Unchecked(layers []string) *Stack { return &Stack{layers: layers} }

// Scratch makes the union one that can be written. What is written goes to a directory below
// dir, which is made if it is not there, in a directory that is there: one that was removed
// meanwhile is not made anew. It is called before the union is used.
func (s *Stack) Scratch(dir string) error {
	s.scratch, s.work = filepath.Join(dir, "upper"), filepath.Join(dir, "work")
	if err := os.RemoveAll(s.work); err != nil { // what a killed process was copying
		return fmt.Errorf("scratch layer: %w", err)
	}
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("scratch layer: %w", err)
	}
	if err := os.Mkdir(s.work, 0o700); err != nil {
		return fmt.Errorf("scratch layer: %w", err)
	}
	err := os.Mkdir(s.scratch, 0o700)
	if errors.Is(err, fs.ErrExist) {
		return nil // that of a process that was killed
	}
	if err != nil {
		return fmt.Errorf("scratch layer: %w", err)
	}
	return s.likeTop()
}

// likeTop gives a new scratch layer the mode of the top layer: it is the root of the union.
func (s *Stack) likeTop() error {
	info, err := os.Stat(s.layers[0])
	if err == nil {
		err = os.Chmod(s.scratch, info.Mode().Perm()|0o700)
	}
	if err != nil {
		return fmt.Errorf("scratch layer: %w", err)
	}
	return nil
}

// OnCopy has a function called when a file was copied to the scratch layer, with its path
// and where it is now. It is called before the union is used.
func (s *Stack) OnCopy(copied func(path, to string)) { s.copied = copied }

// Editable reports whether the union can be written.
func (s *Stack) Editable() bool { return s.scratch != "" }

// Layers returns the layers, the top one first, without the scratch layer.
func (s *Stack) Layers() []string { return s.layers }

// Place returns a directory whose file system has what is written, or else the top layer.
func (s *Stack) Place() string {
	if s.scratch != "" {
		return s.scratch
	}
	return s.layers[0]
}

// Join returns the path of a name in a directory.
func Join(dir, name string) string {
	if dir == "" {
		return name
	}
	return dir + "/" + name
}

// split returns the directory of a path, and the name in it.
func split(path string) (dir, name string) {
	at := strings.LastIndexByte(path, '/')
	if at < 0 {
		return "", path
	}
	return path[:at], path[at+1:]
}

// errnoOf returns the error number of an error, EIO where it has none.
func errnoOf(err error) syscall.Errno {
	if err == nil {
		return 0
	}
	if errno, ok := errors.AsType[syscall.Errno](err); ok {
		return errno
	}
	return syscall.EIO
}
