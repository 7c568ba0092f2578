package monitor

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/gemini-monitor/gemini/tracker/process"
)

// Find returns the record of the runtime with a name, also while it is being deleted. A
// runtime is always found at one of three places, which Find and [Store.Ended] look at in
// the order in which it passes them: the runtimes, the trash, the history. The error is
// [ErrBadName], [ErrNotExist], [ErrUnsafe] or [ErrBroken].
func (s *Store) Find(name string) (Record, error) {
	r, err := s.Runtime(name)
	if err == nil {
		var record Record
		if record, err = r.Record(); err == nil {
			return record, nil
		}
	}
	if !errors.Is(err, ErrNotExist) {
		return Record{}, err
	}
	all, short := s.discarded(name)
	if short != nil {
		return Record{}, short
	}
	var newest Record
	for _, left := range all {
		if newest.Name == "" || left.record.Created.After(newest.Created) {
			newest, err = left.record, nil
		}
	}
	return newest, err
}

// A discarded is a runtime in the trash.
type discarded struct {
	dir    string
	record Record
}

// discarded returns the runtimes in the trash that have a name. The record of one is deleted
// last. The error is a [shortage].
func (s *Store) discarded(name string) (all []discarded, err error) {
	trash, err := os.ReadDir(s.trash())
	if shortage(err) {
		return nil, err
	}
	for _, e := range trash {
		if !strings.HasPrefix(e.Name(), name+"-") {
			continue
		}
		dir := filepath.Join(s.trash(), e.Name())
		record, err := readRecord(dir)
		if shortage(err) {
			return nil, err
		}
		if err == nil && record.Name == name {
			all = append(all, discarded{dir, record})
		}
	}
	return all, nil
}

// locate returns the directory of the runtime that an owner has: in its place, or in the
// trash while it is being deleted. The error is [ErrNotExist] where it is gone or idle, and never
// where the store is: a store that is not there has no answer.
func (s *Store) locate(name string, owner process.Identity) (dir string, err error) {
	r := &Runtime{store: s, name: name}
	record, err := r.Record()
	switch {
	case err == nil && record.Owner == owner && record.State != StateIdle:
		return r.Dir(), nil
	case err != nil && !errors.Is(err, ErrNotExist):
		return "", err
	}
	all, err := s.discarded(name)
	if err != nil {
		return "", err
	}
	for _, left := range all {
		if left.record.Owner == owner {
			return left.dir, nil
		}
	}
	if _, err := os.Stat(s.runtimes()); err != nil {
		return "", &fs.PathError{Op: "look at the store", Path: s.dir, Err: cause(err)}
	}
	return "", r.wrap(ErrNotExist)
}

// Encloses reports whether the calling process is in a runtime: whether it or one of its
// possible ancestors is a member, or it has inherited the lease. What a process had made
// before it became the owner is not in the runtime. Ancestors that cannot be read end the
// line.
func (v *Survey) Encloses(name string) (bool, error) {
	status, err := v.statusOf(name)
	if err != nil {
		return false, err
	}
	self, err := process.Lookup(os.Getpid())
	if err != nil {
		return false, err
	}
	ancestors, _ := process.Ancestors(os.Getpid())
	for _, p := range append([]process.Process{self}, ancestors...) {
		if status.excludes(p.Identity) {
			return false, nil
		}
		if status.has(p.Identity) {
			return true, nil
		}
	}
	return inheritedFiles().have((&Runtime{store: v.store, name: name}).path(leaseFile)), nil
}
