package monitor

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/gemini-monitor/gemini/internal/erase"
	"github.com/gemini-monitor/gemini/tracker/process"
)

// A Runtime is one runtime of a store, by name. It may be removed at any time.
type Runtime struct {
	store *Store
	name  string
}

// Name returns the name of the runtime.
func (r *Runtime) Name() string { return r.name }

// Dir returns where the store keeps the runtime.
func (r *Runtime) Dir() string { return filepath.Join(r.store.runtimes(), r.name) }

// Root returns the runtime's own directory, which processes inside find in
// MONITOR_RUNTIME_DIR.
func (r *Runtime) Root() string { return r.path(rootDir) }

func (r *Runtime) path(file string) string { return filepath.Join(r.Dir(), file) }

// Record reads the record. The error is [ErrNotExist] or [ErrBroken].
func (r *Runtime) Record() (Record, error) {
	record, err := readRecord(r.Dir())
	if err == nil && record.Name != r.name && !r.spelt(record.Name) {
		err = fmt.Errorf("%w: it names another runtime, %q", ErrBroken, record.Name)
	}
	if err != nil {
		return Record{}, r.wrap(err)
	}
	return record, nil
}

// spelt reports whether name is another spelling of the runtime's name. On a file
// system that ignores case, the runtime "demo" is found as "DEMO" (docs/xnu.md X47).
func (r *Runtime) spelt(name string) bool {
	if !strings.EqualFold(name, r.name) {
		return false
	}
	here, err := os.Lstat(r.Dir())
	if err != nil {
		return false
	}
	there, err := os.Lstat((&Runtime{store: r.store, name: name}).Dir())
	return err == nil && os.SameFile(here, there)
}

func (r *Runtime) wrap(err error) error { return fmt.Errorf("runtime %q %w", r.name, err) }

// stagePrefix begins the name of a runtime that is being made. The identity of
// its maker follows, so that one whose maker died is recognised.
const stagePrefix = ".new-"

// A Creation describes a new runtime.
type Creation struct {
	// Name of the runtime. Where it is empty, one is made up from the command.
	Name string
	// Owner is the process that the runtime begins with. It may be any process.
	// The zero Identity stands for the calling process.
	Owner process.Identity
	// Command is what the owner runs or will run, for the record.
	Command []string
}

// Create makes a runtime, which nothing watches yet: see [Runtime.Attach] and
// [Runtime.Become]. It appears in the store in one step, whole. The error is
// [ErrBadName] or [ErrExist].
func (s *Store) Create(c Creation) (*Runtime, error) {
	if c.Name == "" {
		c.Name = madeUpName(c.Command)
	}
	if err := CheckName(c.Name); err != nil {
		return nil, err
	}
	if err := s.create(); err != nil {
		return nil, err
	}
	s.sweep()
	self, err := process.Lookup(os.Getpid())
	if err != nil {
		return nil, err
	}
	if c.Owner == (process.Identity{}) {
		c.Owner = self.Identity
	}
	if c.Owner.PID <= 0 {
		return nil, fmt.Errorf("create runtime %q: PID %d is no owner", c.Name, c.Owner.PID)
	}
	r := &Runtime{store: s, name: c.Name}
	stage, err := os.MkdirTemp(s.runtimes(), stageOf(self.Identity))
	if err == nil {
		err = newRecord(c).fill(stage)
	}
	if err == nil {
		// rename replaces nothing but an empty directory, and no runtime is
		// one.
		err = os.Rename(stage, r.Dir())
	}
	if err != nil {
		_ = erase.All(stage)
		if _, taken := os.Lstat(r.Dir()); taken == nil {
			return nil, r.wrap(ErrExist)
		}
		return nil, fmt.Errorf("create runtime %q: %w", c.Name, cause(err))
	}
	return r, nil
}

func newRecord(c Creation) Record {
	record := Record{
		Version: recordVersion, Name: c.Name, State: StateStarting, Owner: c.Owner,
		Command: c.Command, User: os.Geteuid(), Created: time.Now().UTC(),
	}
	record.Directory, _ = os.Getwd()
	record.Host, _ = os.Hostname()
	record.Machine, _ = thisMachine()
	return record
}

// fill writes all files of a new runtime.
func (r Record) fill(dir string) error {
	if err := os.Mkdir(filepath.Join(dir, rootDir), 0o700); err != nil {
		return err
	}
	for _, name := range []string{leaseFile, lockFile, journalFile, logFile} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			return err
		}
	}
	return r.write(dir)
}

// remove takes the runtime out of the store in one step and then deletes what
// it was. It is no error when it was removed before. An error after the first
// step means that some of it is left in the trash, for the next sweep. The caller
// holds the lock, or made the runtime, and no other process knows its name.
func (r *Runtime) remove() error {
	aside, err := r.setAside()
	if err != nil {
		return err
	}
	return r.delete(aside)
}

// setAside moves the runtime into the trash and returns where it is then. A runtime
// in which a file system is mounted stays in its place: the error is
// [erase.ErrMounted].
func (r *Runtime) setAside() (aside string, err error) {
	if err := erase.Unmounted(r.Dir()); err != nil {
		return "", fmt.Errorf("remove runtime %q: %w", r.name, err)
	}
	aside = filepath.Join(r.store.trash(), r.name+"-"+randomText())
	err = os.Rename(r.Dir(), aside)
	if errors.Is(err, fs.ErrPermission) {
		// Moving a directory to another parent writes to it too. The calling
		// user owns it, and it is no link: Store.Runtime has checked that.
		if err = os.Chmod(r.Dir(), 0o700); err == nil {
			err = os.Rename(r.Dir(), aside)
		}
	}
	if _, there := os.Lstat(r.Dir()); err == nil || errors.Is(there, fs.ErrNotExist) {
		return aside, nil
	}
	return "", fmt.Errorf("remove runtime %q: %w", r.name, cause(err))
}

func (r *Runtime) delete(aside string) error {
	if err := erase.All(aside); err != nil {
		return fmt.Errorf("delete the files of runtime %q: %w", r.name, err)
	}
	return nil
}

// sweep deletes the trash, and the stages whose makers are dead.
func (s *Store) sweep() {
	trash, _ := os.ReadDir(s.trash())
	for _, e := range trash {
		_ = erase.All(filepath.Join(s.trash(), e.Name()))
	}
	staged, _ := os.ReadDir(s.runtimes())
	for _, e := range staged {
		if maker, ok := makerOf(e.Name()); ok && !livesStill(maker) {
			_ = erase.All(filepath.Join(s.runtimes(), e.Name()))
		}
	}
}

// stageOf returns the beginning of the names of all stages that a process makes. It
// ends with a comma; an escaped boot has none.
func stageOf(maker process.Identity) string {
	return fmt.Sprintf("%s%d-%d-%s,", stagePrefix, maker.PID, maker.Start, url.PathEscape(maker.Boot))
}

// makerOf returns the process that makes a runtime, from the name of its stage. It
// is not ok where the name is none of a stage.
func makerOf(stage string) (maker process.Identity, ok bool) {
	text, ok := strings.CutPrefix(stage, stagePrefix)
	text, _, ended := strings.Cut(text, ",")
	if !ok || !ended {
		return maker, false
	}
	if _, err := fmt.Sscanf(text, "%d-%d-%s", &maker.PID, &maker.Start, &text); err != nil {
		return maker, false
	}
	boot, err := url.PathUnescape(text)
	maker.Boot = boot
	return maker, err == nil
}

// livesStill reports whether a process is, or may be, alive.
func livesStill(id process.Identity) bool {
	if id.Visible() != nil {
		return true
	}
	p, err := process.Lookup(id.PID)
	if err != nil {
		return !errors.Is(err, process.ErrGone)
	}
	return p.Identity == id && p.State != process.Zombie
}
