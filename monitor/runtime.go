package monitor

import (
	"context"
	"errors"
	"fmt"
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

// A Creation describes a new runtime.
type Creation struct {
	// Name of the runtime. Where it is empty, one is made up from the command.
	Name string
	// Owner is the process that the runtime begins with. It may be any process.
	// The zero Identity stands for the calling process.
	Owner process.Identity
	// Command is what the owner runs or will run, for the record.
	Command []string
	// Limits are what its monitor is asked to keep.
	Limits Limits
	// Durable: the runtime stays when it is empty, and is idle then. [Runtime.RemoveIdle]
	// removes it.
	Durable bool
	// OnEmpty, if it is set, is a command for its monitor.
	OnEmpty *Hook

	marks []string // that the environment of the command will have
	spare func()   // called before what was made is deleted; nil for nothing. See Program.Spare
}

// Create makes a runtime, which nothing watches yet: see [Runtime.Attach]. It appears
// in the store in one step, whole. Where a runtime that is over has the name, Create
// removes that one. A durable runtime that is idle is run again: its own directory stays, and
// it stays durable. The error is [ErrBadName], or [ErrExist] with what can be done.
func (s *Store) Create(c Creation) (*Runtime, error) {
	r, _, err := s.place(context.Background(), c, func(string) error { return nil })
	return r, err
}

// place makes a runtime for Create, and calls prepare with the directory of its files before
// they can be seen. Where an idle runtime is run again, before is the record of that.
func (s *Store) place(ctx context.Context, c Creation, prepare func(stage string) error) (r *Runtime, before *Record, err error) {
	if c.Name == "" {
		c.Name = MadeUpName(c.Command)
	}
	if err := CheckName(c.Name); err != nil {
		return nil, nil, err
	}
	if err := s.create(); err != nil {
		return nil, nil, err
	}
	self, err := process.Self()
	if err != nil {
		return nil, nil, err
	}
	if c.Owner == (process.Identity{}) {
		c.Owner = self
	}
	if c.Owner.PID <= 0 {
		return nil, nil, fmt.Errorf("create runtime %q: PID %d is no owner", c.Name, c.Owner.PID)
	}
	r = &Runtime{store: s, name: c.Name}
	record := newRecord(c)
	stage, err := os.MkdirTemp(s.runtimes(), stageOf(self, record.Machine))
	if err == nil {
		err = record.fill(stage)
	}
	if err == nil && c.OnEmpty != nil {
		err = c.OnEmpty.write(stage)
	}
	if err == nil {
		err = prepare(stage)
	}
	if err == nil {
		before, err = r.appear(ctx, stage, record)
	}
	if err == nil && before == nil {
		if record.Durable {
			r.keepName()
		}
		return r, nil, nil
	}
	if err != nil && c.spare != nil {
		c.spare()
	}
	_ = erase.All(stage) // a runtime that is run again has taken from it what it needs
	if err == nil {
		return r, before, nil
	}
	if errors.Is(err, ErrExist) {
		return nil, nil, err
	}
	return nil, nil, fmt.Errorf("create runtime %q: %w", c.Name, cause(err))
}

func newRecord(c Creation) Record {
	record := Record{
		Version: recordVersion, Name: c.Name, State: StateStarting, Owner: c.Owner,
		Command: c.Command, User: os.Geteuid(), Created: time.Now().UTC(), Marks: c.marks, Limits: c.Limits,
	}
	if c.OnEmpty != nil {
		record.OnEmpty = c.OnEmpty.Command
	}
	if c.Durable {
		record.Version, record.Durable, record.Made = durableVersion, true, record.Created
	}
	record.StartedIn, _ = os.Getwd()
	record.Host, _ = os.Hostname()
	record.Machine, _ = thisMachine()
	return record
}

// fill writes all files of a new runtime.
func (r Record) fill(dir string) error {
	// os.MkdirTemp has obeyed the umask.
	if err := errors.Join(os.Chmod(dir, 0o700), makeDirs(filepath.Join(dir, rootDir))); err != nil {
		return err
	}
	for _, name := range []string{leaseFile, lockFile, journalFile, logFile} {
		if err := makeFile(filepath.Join(dir, name), nil); err != nil {
			return err
		}
	}
	if r.Durable {
		return r.write(dir) // which syncs it
	}
	text, err := r.encode()
	if err != nil {
		return err
	}
	return makeFile(filepath.Join(dir, recordFile), text)
}
