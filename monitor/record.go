package monitor

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/gemini-monitor/gemini/tracker/process"
)

// A Record is what the store keeps of a runtime, in the file runtime.json. It
// is written by whoever makes the runtime and then by its monitor alone.
type Record struct {
	// Version is the format of the record: 1.
	Version int    `json:"version"`
	Name    string `json:"name"`
	State   State  `json:"state"`
	// Reason says why the state is unknown.
	Reason string `json:"reason,omitempty"`
	// Owner is the process that became the command.
	Owner process.Identity `json:"owner"`
	// Monitor is the process that watches, or was the last to do so.
	Monitor *process.Identity `json:"monitor"`
	Command []string          `json:"command"`
	// Directory is where the command was started.
	Directory string    `json:"directory"`
	User      int       `json:"user"`
	Host      string    `json:"host"`
	Created   time.Time `json:"created"`
}

const recordVersion = 1

// A State says in one word how a runtime is. No word contains another.
type State string

const (
	// Starting: made, its command not started yet.
	Starting State = "starting"
	// Running: it has members and a monitor.
	Running State = "running"
	// Unmonitored: nobody watches it. "monitor watch NAME" goes on with it.
	Unmonitored State = "unmonitored"
	// Stopping: found empty and being removed.
	Stopping State = "stopping"
	// Unknown: whether it has members could not be established, so it stays.
	Unknown State = "unknown"
	// Broken: its record cannot be read.
	Broken State = "broken"
)

var (
	// ErrNotExist reports that there is no such runtime.
	ErrNotExist = errors.New("does not exist")
	// ErrExist reports that the name is in use.
	ErrExist = errors.New("exists already")
	// ErrBroken reports a record that cannot be read.
	ErrBroken = errors.New("has a broken record")
)

func readRecord(dir string) (Record, error) {
	text, err := os.ReadFile(filepath.Join(dir, recordFile))
	if errors.Is(err, fs.ErrNotExist) {
		if _, gone := os.Stat(dir); errors.Is(gone, fs.ErrNotExist) {
			return Record{}, ErrNotExist
		}
	}
	if err != nil {
		return Record{}, fmt.Errorf("%w: %w", ErrBroken, err)
	}
	var r Record
	if err := json.Unmarshal(text, &r); err != nil {
		return Record{}, fmt.Errorf("%w: %w", ErrBroken, err)
	}
	switch {
	case r.Version != recordVersion:
		return Record{}, fmt.Errorf("%w: version %d is not %d", ErrBroken, r.Version, recordVersion)
	case r.Name == "" || r.Owner.PID <= 0:
		return Record{}, fmt.Errorf("%w: no name or no owner in it", ErrBroken)
	}
	return r, nil
}

// write replaces the record in one step: a reader finds the old one or the new
// one, also after a crash of the machine.
func (r Record) write(dir string) error {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false) // people read it, and commands are full of & and >
	if err := encoder.Encode(r); err != nil {
		return fmt.Errorf("write record: %w", err)
	}
	file, err := os.CreateTemp(dir, "."+recordFile+"-")
	if err != nil {
		return fmt.Errorf("write record: %w", err)
	}
	_, err = file.Write(text.Bytes())
	err = errors.Join(err, file.Sync(), file.Close())
	if err == nil {
		err = os.Rename(file.Name(), filepath.Join(dir, recordFile))
	}
	if err != nil {
		return fmt.Errorf("write record: %w", errors.Join(err, os.Remove(file.Name())))
	}
	return syncDir(dir)
}

// syncDir makes renames within a directory last.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
