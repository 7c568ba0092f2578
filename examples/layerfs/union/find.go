package union

import (
	"os"
	"strings"
	"sync"
	"syscall"
)

// An Entry is what a name of the union leads to.
type Entry struct {
	Path  string // in its layer
	Stat  syscall.Stat_t
	Upper bool // in the scratch layer
}

// IsDir reports whether the entry is a directory.
func (e *Entry) IsDir() bool { return e.Stat.Mode&syscall.S_IFMT == syscall.S_IFDIR }

// A dir is a directory of the union: those of the layers that are merged, the top one first.
type dir struct{ parts []part }

// A part is a directory of one layer.
type part struct {
	path  string
	upper bool
	hides bool // may have names that hide others
}

// dirs are the directories that were looked up. A change of the scratch layer forgets those
// that it concerns. The layers do not change.
type dirs struct {
	mu    sync.RWMutex
	known map[string]*dir
	turn  int // how often something was forgotten
}

func (d *dirs) get(path string) (*dir, int) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.known[path], d.turn
}

// put remembers a directory, unless something was forgotten since it was looked up.
func (d *dirs) put(path string, found *dir, turn int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.turn != turn {
		return
	}
	if d.known == nil {
		d.known = make(map[string]*dir)
	}
	d.known[path] = found
}

// forget forgets a directory and all below it.
func (d *dirs) forget(path string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.turn++
	for known := range d.known {
		if known == path || strings.HasPrefix(known, path+"/") {
			delete(d.known, known)
		}
	}
}

// Lookup returns what a path leads to. The error is ENOENT where no layer shows it.
func (s *Stack) Lookup(path string) (Entry, syscall.Errno) {
	if path == "" {
		d, _ := s.dir("")
		return entryAt(d.parts[0])
	}
	parent, name := split(path)
	d, errno := s.dir(parent)
	if errno != 0 {
		return Entry{}, errno
	}
	e, _, errno := s.find(d, name)
	return e, errno
}

func entryAt(p part) (e Entry, errno syscall.Errno) {
	e.Path, e.Upper = p.path, p.upper
	return e, lstat(p.path, &e.Stat)
}

// dir returns a directory. The error is ENOTDIR where the path leads to something else.
func (s *Stack) dir(path string) (*dir, syscall.Errno) {
	known, turn := s.dirs.get(path)
	if known != nil {
		return known, 0
	}
	found := &dir{}
	if path == "" {
		if s.scratch != "" {
			found.parts = append(found.parts, part{s.scratch, true, true})
		}
		for _, layer := range s.layers {
			if !found.add(layer, false) {
				break
			}
		}
	} else {
		parent, name := split(path)
		d, errno := s.dir(parent)
		if errno != 0 {
			return nil, errno
		}
		e, at, errno := s.find(d, name)
		if errno != 0 {
			return nil, errno
		}
		if !e.IsDir() {
			return nil, syscall.ENOTDIR
		}
		found.merge(d.parts[at:], name)
	}
	s.dirs.put(path, found, turn)
	return found, 0
}

// find returns what a name in a directory leads to, and which part of it has the name first.
func (s *Stack) find(d *dir, name string) (e Entry, at int, errno syscall.Errno) {
	if strings.HasPrefix(name, hidden) {
		return Entry{}, 0, syscall.ENOENT
	}
	for at, p := range d.parts {
		e, errno = entryAt(part{path: p.path + "/" + name, upper: p.upper})
		switch {
		case errno == 0:
			return e, at, 0
		case errno != syscall.ENOENT && errno != syscall.ENOTDIR:
			return Entry{}, 0, errno
		case p.hides && there(p.path+"/"+hidden+name):
			return Entry{}, 0, syscall.ENOENT
		}
	}
	return Entry{}, 0, syscall.ENOENT
}

// merge adds the directories of a name in some parts, until one hides those below it.
func (d *dir) merge(from []part, name string) {
	for _, p := range from {
		path := p.path + "/" + name
		var stat syscall.Stat_t
		switch errno := lstat(path, &stat); {
		case errno == 0 && stat.Mode&syscall.S_IFMT != syscall.S_IFDIR:
			return
		case errno == 0:
			if !d.add(path, p.upper) {
				return
			}
		}
		if p.hides && there(p.path+"/"+hidden+name) {
			return
		}
	}
}

// add adds a directory of a layer, and reports whether layers below it show through.
func (d *dir) add(path string, upper bool) (through bool) {
	if upper {
		d.parts = append(d.parts, part{path, true, true})
		return !there(path + "/" + opaque)
	}
	names, hides := namesIn(path), false
	for _, name := range names {
		hides = hides || strings.HasPrefix(name, hidden)
		through = through || name == opaque
	}
	d.parts = append(d.parts, part{path, false, hides})
	return !through
}

func namesIn(path string) []string {
	opened, err := os.Open(path)
	if err != nil {
		return nil
	}
	defer opened.Close()
	names, _ := opened.Readdirnames(-1)
	return names
}

// there reports whether a path leads to anything.
func there(path string) bool {
	var stat syscall.Stat_t
	return lstat(path, &stat) == 0
}

func lstat(path string, stat *syscall.Stat_t) syscall.Errno {
	for {
		if err := syscall.Lstat(path, stat); err != syscall.EINTR {
			return errnoOf(err)
		}
	}
}

// A Name is one name in a directory.
type Name struct {
	Name string
	Type uint32 // as in the mode of a file
}

// List returns the names in a directory, in no order.
func (s *Stack) List(path string) ([]Name, syscall.Errno) {
	d, errno := s.dir(path)
	if errno != 0 {
		return nil, errno
	}
	var all []Name
	seen := make(map[string]bool)
	for _, p := range d.parts {
		entries, err := os.ReadDir(p.path)
		if err != nil && errnoOf(err) != syscall.ENOENT {
			return nil, errnoOf(err)
		}
		var hide []string
		for _, e := range entries {
			name := e.Name()
			if gone, is := strings.CutPrefix(name, hidden); is {
				hide = append(hide, gone)
				continue
			}
			if !seen[name] {
				seen[name] = true
				all = append(all, Name{name, typeOf(e.Type())})
			}
		}
		for _, name := range hide {
			seen[name] = true
		}
	}
	return all, 0
}

// typeOf returns the type of a file as its mode has it.
func typeOf(mode os.FileMode) uint32 {
	switch {
	case mode.IsDir():
		return syscall.S_IFDIR
	case mode&os.ModeSymlink != 0:
		return syscall.S_IFLNK
	case mode&os.ModeNamedPipe != 0:
		return syscall.S_IFIFO
	case mode&os.ModeSocket != 0:
		return syscall.S_IFSOCK
	case mode&os.ModeCharDevice != 0:
		return syscall.S_IFCHR
	case mode&os.ModeDevice != 0:
		return syscall.S_IFBLK
	}
	return syscall.S_IFREG
}
