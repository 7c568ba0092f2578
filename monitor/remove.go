package monitor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/gemini-monitor/gemini/internal/erase"
	"github.com/gemini-monitor/gemini/tracker/trees"
)

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
	// A program that deletes what is old may have taken the empty trash.
	err = makeDirs(r.store.trash())
	if info, missing := os.Lstat(r.store.trash()); err == nil && missing == nil && !info.IsDir() {
		err = fmt.Errorf("%w: %s is not a directory", ErrUnsafe, r.store.trash()) // a link leads away
	}
	if err != nil {
		return "", fmt.Errorf("remove runtime %q: %w", r.name, cause(err))
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
	err = cause(err)
	if errors.Is(err, syscall.EXDEV) {
		err = fmt.Errorf("%s or %s: %w", r.store.runtimes(), r.store.trash(), erase.ErrMounted)
	}
	return "", fmt.Errorf("remove runtime %q: %w", r.name, err)
}

func (r *Runtime) delete(aside string) error {
	if err := r.store.discard(filepath.Base(aside)); err != nil {
		return fmt.Errorf("delete the files of runtime %q: %w", r.name, err)
	}
	return nil
}

// discard deletes a runtime in the trash: its own directory first, then the rest. Where
// some of the former cannot be deleted, all of the rest is left, and the record there
// says why. Neither the trash nor the runtime in it may be a link or a mount point: what is
// behind those is not the runtime's.
func (s *Store) discard(name string) error {
	aside := filepath.Join(s.trash(), name)
	err := erase.InTurn(rootDir, s.dir, trashDir, name)
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if erase.Reach(s.dir, trashDir, name) != nil {
		return err // a record there may be that of a runtime which lives
	}
	if record, unread := readRecord(aside); unread == nil {
		record.State, record.Reason = StateStopping, err.Error()
		_ = record.write(aside) // the error is returned too
	}
	return err
}

// remains returns the removed runtimes of which something could not be deleted. One that
// is being deleted by its monitor, or by its owner because it did not start, is left out. The
// error is a [shortage].
func (v *Survey) remains() (all []Status, err error) {
	trash, err := os.ReadDir(v.store.trash())
	if shortage(err) {
		return nil, err
	}
	for _, e := range trash {
		aside := filepath.Join(v.store.trash(), e.Name())
		record, err := readRecord(aside)
		if shortage(err) {
			return nil, err
		}
		if err != nil {
			continue // the record goes last, with nothing that could fail
		}
		if !record.unremovable() {
			if record.visible() != nil || v.alive(record.Monitor) || v.alive(&record.Owner) {
				continue
			}
			record.State, record.Reason = StateStopping, "its deletion was interrupted; the next monitor of the store goes on with it"
		}
		all = append(all, Status{
			Record: record, Root: filepath.Join(aside, rootDir), Log: filepath.Join(aside, logFile), Members: []trees.Member{},
			OwnerEnded: record.visible() == nil && !v.alive(&record.Owner),
		})
	}
	return all, nil
}

// Sweep deletes what earlier monitors have left: starts that died, runtimes in the
// trash, and runtimes that were being made by a process of this machine that has died. What cannot be
// deleted stays, and no error is returned: [Survey.All] shows it with the reason. Each
// monitor calls Sweep when it has begun to watch, in a goroutine of its own, because a
// file system that does not answer blocks it.
func (s *Store) Sweep() { s.SweepBut(nil) }

// SweepBut is [Store.Sweep] for a process that watches many runtimes: it does not look at those
// that are watched, whose names are given in order.
func (s *Store) SweepBut(watched []string) {
	s.clearStarts(context.Background(), watched)
	trash, _ := os.ReadDir(s.trash())
	for _, e := range trash {
		_ = s.discard(e.Name())
	}
	staged, _ := os.ReadDir(s.runtimes())
	for _, e := range staged {
		if maker, machine, ok := makerOf(e.Name()); ok && !mayLive(maker, machine) {
			_ = erase.Within(s.dir, runtimesDir, e.Name())
		}
	}
}
