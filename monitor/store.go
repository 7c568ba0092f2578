package monitor

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
)

// A Store is a directory of runtimes.
//
//	runtimes/NAME/runtime.json   the record
//	              lease          locked through one open file that all members share
//	              monitor.lock   locked by the one monitor
//	              journal.jsonl  which processes joined, by which link, and which left
//	              monitor.log
//	              monitor.sock  where a monitor of this runtime alone answers
//	              root/          the runtime's own directory
//	trash/                       what is being deleted
//	history.jsonl                a line for each runtime that was removed
type Store struct {
	dir string
}

// The directories of a store.
const (
	runtimesDir = "runtimes"
	trashDir    = "trash"
)

// The files of a runtime.
const (
	recordFile  = "runtime.json"
	leaseFile   = "lease"
	lockFile    = "monitor.lock"
	journalFile = "journal.jsonl"
	logFile     = "monitor.log"
	socketFile  = "monitor.sock"
	rootDir     = "root"
)

// ErrUnsafe reports a store or runtime that others could have tampered with.
var ErrUnsafe = errors.New("not safe to use")

// Open returns the store in a directory, which need not exist yet: reading
// from it finds no runtime, and the first runtime creates it. The error is
// [ErrUnsafe] when the directory is another user's or others can write to it.
func Open(dir string) (*Store, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("open store %s: %w", dir, err)
	}
	s := &Store{dir: abs}
	if err := s.check(); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("open store %s: %w", dir, err)
	}
	return s, nil
}

// check returns an error unless the store and its directories are safe to use; see
// checkOwned. The store itself may be a link, because its user named it.
func (s *Store) check() error {
	dir, err := filepath.EvalSymlinks(s.dir)
	if err != nil {
		return cause(err)
	}
	if err := checkNamed(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, d := range []string{s.runtimes(), s.trash()} {
		if err := checkOwned(d); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// checkNamed is checkOwned for the directory that was named as the store. It does not advise
// to change the mode of a directory that is for something else.
func checkNamed(dir string) error {
	err := checkOwned(dir)
	if errors.Is(err, ErrUnsafe) && noStore(dir) {
		return fmt.Errorf("%w; it is no store: name a directory of your own", checkMine(dir, ""))
	}
	return err
}

// noStore reports whether a directory is known to be no store, nor a new one: it has other
// files in it, or is for all users (inode(7), the sticky bit).
func noStore(dir string) bool {
	info, err := os.Lstat(dir)
	if err != nil || !info.IsDir() {
		return false
	}
	if info.Mode()&os.ModeSticky != 0 {
		return true
	}
	if _, err := os.Lstat(filepath.Join(dir, runtimesDir)); !errors.Is(err, fs.ErrNotExist) {
		return false
	}
	opened, err := os.Open(dir)
	if err != nil {
		return false
	}
	defer opened.Close()
	others, _ := opened.Readdirnames(1)
	return len(others) > 0
}

// Dir returns the absolute path of the store.
func (s *Store) Dir() string { return s.dir }

func (s *Store) runtimes() string { return filepath.Join(s.dir, runtimesDir) }
func (s *Store) trash() string    { return filepath.Join(s.dir, trashDir) }

// Make makes the directories of the store where they are not there. The first runtime does
// too.
func (s *Store) Make() error { return s.create() }

// create makes the directories of the store.
func (s *Store) create() error {
	for _, d := range []string{s.dir, s.runtimes(), s.trash()} {
		err := makeDirs(d)
		if err == nil {
			err = openUp(d)
		}
		if err != nil {
			return fmt.Errorf("create store %s: %w", s.dir, cause(err))
		}
	}
	if err := s.check(); err != nil {
		return fmt.Errorf("create store %s: %w", s.dir, err)
	}
	return nil
}

// Names returns the names of all runtimes, broken ones included, in order.
func (s *Store) Names() ([]string, error) {
	entries, err := os.ReadDir(s.runtimes())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read store %s: %w", s.dir, cause(err))
	}
	var names []string
	for _, e := range entries {
		if validName(e.Name()) {
			names = append(names, e.Name())
		}
	}
	sort.Strings(names)
	return names, nil
}

// Runtime returns the runtime with the given name. The error is [ErrBadName],
// [ErrNotExist] or [ErrUnsafe]. It does not read the record.
func (s *Store) Runtime(name string) (*Runtime, error) {
	if !validName(name) {
		return nil, badName(name)
	}
	r := &Runtime{store: s, name: name}
	err := checkOwned(r.Dir())
	if errors.Is(err, fs.ErrNotExist) {
		err = ErrNotExist
	}
	if err != nil {
		return nil, r.wrap(err)
	}
	return r, nil
}

// checkOwned returns an error unless dir is a directory of the calling user, not a
// link to one, and no other user can write to it. The error wraps [ErrUnsafe].
func checkOwned(dir string) error { return checkMine(dir, "; chmod go-w would do") }

// checkMine is checkOwned with advice for where other users can write.
func checkMine(dir, advice string) error {
	info, err := os.Lstat(dir)
	if err != nil {
		return cause(err)
	}
	if !info.IsDir() {
		return fmt.Errorf("%w: %s is not a directory", ErrUnsafe, dir)
	}
	if owner, ok := ownerOf(info); ok && owner != os.Geteuid() {
		return fmt.Errorf("%w: %s belongs to user %d, not to user %d", ErrUnsafe, dir, owner, os.Geteuid())
	}
	if mode := info.Mode().Perm(); mode&0o022 != 0 {
		return fmt.Errorf("%w: others can write to %s (mode %04o%s)", ErrUnsafe, dir, mode, advice)
	}
	return nil
}

// cause returns the cause of an error without the path that [fs.PathError] repeats.
func cause(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err
	}
	if e, ok := errors.AsType[*os.LinkError](err); ok {
		return e.Err
	}
	return err
}
