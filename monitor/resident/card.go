package resident

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/gemini-monitor/gemini/internal/flock"
	"github.com/gemini-monitor/gemini/monitor"
	"github.com/gemini-monitor/gemini/tracker/process"
)

// The files of a resident in its store. Their names never change, so that programs of
// different versions agree on who serves.
const (
	socketFile = "resident.sock"
	lockFile   = "resident.lock"
	logFile    = "resident.log"
	failedFile = "resident.failed"
)

func socketPath(s *monitor.Store) string { return filepath.Join(s.Dir(), socketFile) }
func lockPath(s *monitor.Store) string   { return filepath.Join(s.Dir(), lockFile) }
func failedPath(s *monitor.Store) string { return filepath.Join(s.Dir(), failedFile) }

// LogPath returns the path of the log of the store's resident.
func LogPath(s *monitor.Store) string { return filepath.Join(s.Dir(), logFile) }

// A Card is what a resident writes of itself into its lock file. It is the last
// resident's where none lives.
type Card struct {
	Process process.Identity `json:"process"`
	Host    string           `json:"host,omitempty"`
	Version string           `json:"version"`
	Started time.Time        `json:"started"`
}

// ReadCard returns the card of the store's resident. The error is [fs.ErrNotExist] where
// the store never had one.
func ReadCard(s *monitor.Store) (c Card, err error) {
	text, err := readTwice(lockPath(s))
	if err == nil && len(text) == 0 {
		err = fs.ErrNotExist
	}
	if err == nil {
		err = json.Unmarshal(text, &c)
	}
	return c, err
}

// readings is how often a file is read that changes each time.
const readings = 10

// readTwice reads a file until it is the same twice: a card may be written meanwhile, and a
// reader can see a part of a write.
func readTwice(path string) ([]byte, error) {
	last, err := os.ReadFile(path)
	for range readings {
		text, failed := os.ReadFile(path)
		if failed != nil || bytes.Equal(text, last) {
			return text, failed
		}
		last, err = text, nil
	}
	return last, err
}

// openLock opens the lock file of a store, and makes it where there is none. Nothing ever
// removes it: a process that waits for the lock of a removed file would share it with
// another (flock(2) is about the file, not the name).
func openLock(s *monitor.Store) (*os.File, error) {
	file, err := openFile(lockPath(s), os.O_RDWR)
	if err != nil {
		return nil, fmt.Errorf("open the lock of the resident monitor: %w", err)
	}
	return file, nil
}

// openFile opens a file of a resident, and makes it where there is none. The umask of a job
// may take rights from its user too.
func openFile(path string, how int) (*os.File, error) {
	file, err := os.OpenFile(path, how|os.O_CREATE, 0o600)
	if errors.Is(err, fs.ErrPermission) { // its maker has died before it set the mode
		if info, failed := os.Lstat(path); failed == nil && info.Mode() == 0 && os.Chmod(path, 0o600) == nil {
			file, err = os.OpenFile(path, how, 0)
		}
	}
	if err != nil {
		return nil, err
	}
	if info, err := file.Stat(); err == nil && info.Mode().Perm() != 0o600 {
		_ = file.Chmod(0o600) // of another user's file it fails, and Store.check refuses that store
	}
	return file, nil
}

// tryLock takes the lock of a store, or returns nil where a process has it.
func tryLock(s *monitor.Store) (*os.File, error) {
	file, err := openLock(s)
	if err != nil {
		return nil, err
	}
	got, err := flock.Try(file, true)
	if err == nil && got {
		if err = holds(s, file); err == nil {
			return file, nil
		}
	}
	file.Close()
	return nil, err
}

// stillLocked returns nil where a file that was passed on is the lock of the store, and
// locked. [ErrServed] is about another process that has it.
func stillLocked(s *monitor.Store, file *os.File) error {
	got, err := flock.Try(file, true) // which changes nothing where this open file has it
	switch {
	case err != nil:
		return err
	case !got:
		return ErrServed
	}
	return holds(s, file)
}

// errReplaced reports that the store, or its lock, was removed or replaced.
var errReplaced = errors.New("the store was removed or replaced")

// holds returns nil where an open file is the lock of the store.
func holds(s *monitor.Store, file *os.File) error {
	ours, err := file.Stat()
	if err != nil {
		return err
	}
	there, err := os.Lstat(lockPath(s))
	if errors.Is(err, fs.ErrNotExist) || err == nil && !os.SameFile(ours, there) {
		return errReplaced
	}
	return err
}

// write writes the card into the lock file, over the last one, so that the file is never
// empty. Spaces stand for the rest of a longer card.
func (c Card) write(lock *os.File) error {
	text, err := json.Marshal(c)
	if err != nil {
		return err
	}
	info, err := lock.Stat()
	if err != nil {
		return err
	}
	if rest := int(info.Size()) - len(text) - 1; rest > 0 {
		text = append(text, bytes.Repeat([]byte{' '}, rest)...)
	}
	_, err = lock.WriteAt(append(text, '\n'), 0)
	return err
}
