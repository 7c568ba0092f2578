package monitor

import (
	"bytes"
	"cmp"
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
// is written by the process that makes the runtime, and then by its monitor alone.
type Record struct {
	// Version is the format of the record: 1, and 2 for a durable runtime.
	Version int    `json:"version"`
	Name    string `json:"name"`
	State   State  `json:"state"`
	// Reason is why the state is unknown, why the members are told to end, or why a removal
	// failed. In a [Status] it also says what goes on with an unmonitored runtime.
	Reason string `json:"reason,omitempty"`
	// Owner is the process that became the command.
	Owner process.Identity `json:"owner"`
	// Monitor is the process that watches, or was the last to do so.
	Monitor *process.Identity `json:"monitor"`
	// Strangers are processes that are no members though they descend from the owner
	// or share its group or session: they were there before the runtime.
	Strangers []process.Identity `json:"strangers,omitempty"`
	// Marks are in the environment of its processes: those of the runtimes around it, the
	// outermost first, and then its own. A [Status] leaves them out: who knows a mark can
	// have a process of the same user count.
	Marks   []string `json:"marks,omitempty"`
	Command []string `json:"command,omitempty"`
	// StartedIn is the directory in which the command was started.
	StartedIn string `json:"started_in,omitempty"`
	User      int    `json:"user"`
	// Host is the name that the machine had.
	Host string `json:"host,omitempty"`
	// Machine identifies the machine, also under another name. It is compared and
	// not read. Records of earlier versions have none.
	Machine string `json:"machine,omitempty"`
	// Created is when the runtime was made; of a durable one, when its present or last run was.
	Created time.Time `json:"created"`
	// Durable: the runtime stays when it is empty. Made is when it was made first, and
	// IdleSince when its last run ended, where it is idle.
	Durable   bool      `json:"durable,omitempty"`
	Made      time.Time `json:"made,omitzero"`
	IdleSince time.Time `json:"idle_since,omitzero"`
	// OnEmpty is the command that the monitor runs when the runtime is empty, before it
	// removes it. OnEmptyRuns is how often it was started.
	OnEmpty     []string `json:"on_empty,omitempty"`
	OnEmptyRuns int      `json:"on_empty_runs,omitempty"`
	// Limits are what its maker asks of the monitor.
	Limits Limits `json:"limits,omitzero"`
	// Ending is set once the members are told to end.
	Ending *Ending `json:"ending,omitempty"`
}

const recordVersion = 1

// unremovable reports whether the runtime is empty and could not be removed, for the reason.
func (r Record) unremovable() bool {
	told := r.Ending != nil && r.Reason == r.Ending.reason() || r.Reason == reasonHooking
	return r.State == StateStopping && r.Reason != "" && !told
}

// A State is the state of a runtime, as one word. No word contains another.
type State string

const (
	// StateStarting: made, its command not started yet.
	StateStarting State = "starting"
	// StateRunning: a monitor watches it.
	StateRunning State = "running"
	// StateUnmonitored: no monitor watches it. "monitor serve NAME" goes on with
	// it. The next runtime of that name replaces it, if it is over.
	StateUnmonitored State = "unmonitored"
	// StateStopping: its members are told to end, or it was found empty and is being
	// removed, which has not succeeded yet. The reason says which.
	StateStopping State = "stopping"
	// StateIdle: durable and empty. No process is there, and no monitor. The next run of its
	// name goes on with it.
	StateIdle State = "idle"
	// StateUnknown: whether it has members could not be established, so it stays.
	StateUnknown State = "unknown"
	// StateBroken: its record or its journal cannot be read.
	StateBroken State = "broken"
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
	text, err := readRegular(filepath.Join(dir, recordFile))
	if errors.Is(err, fs.ErrNotExist) {
		if _, gone := os.Stat(dir); errors.Is(gone, fs.ErrNotExist) {
			return Record{}, ErrNotExist
		}
	}
	if shortage(err) {
		return Record{}, fmt.Errorf("cannot be read now: %w", err)
	}
	if err != nil {
		return Record{}, fmt.Errorf("%w: %w", ErrBroken, err)
	}
	var read struct {
		Record
		// Directory is what earlier builds wrote for StartedIn.
		Directory string `json:"directory"`
	}
	if err := json.Unmarshal(text, &read); err != nil {
		return Record{}, fmt.Errorf("%w: %w", ErrBroken, err)
	}
	r := read.Record
	r.StartedIn = cmp.Or(r.StartedIn, read.Directory)
	switch {
	case r.Version != recordVersion && r.Version != durableVersion:
		return Record{}, fmt.Errorf("%w: version %d is neither %d nor %d", ErrBroken, r.Version, recordVersion, durableVersion)
	case r.Name == "" || r.Owner.PID <= 0:
		return Record{}, fmt.Errorf("%w: no name or no owner in it", ErrBroken)
	}
	r.Durable = r.Durable || r.Version == durableVersion
	return r, nil
}

// write replaces the record in one step: a reader finds the old one or the new one. It is
// synced where the runtime is durable and outlives the machine. Else it is not: no process of
// the runtime outlives the machine, and readiness does not wait for a disk. After a crash of
// the machine such a record may be cut short, which reads as broken.
func (r Record) write(dir string) error {
	text, err := r.encode()
	if err != nil {
		return err
	}
	file, err := os.CreateTemp(dir, "."+recordFile+"-")
	if err != nil {
		return fmt.Errorf("write record: %w", err)
	}
	_, err = file.Write(text)
	if r.Durable && err == nil {
		err = syncFile(file)
	}
	err = errors.Join(err, file.Chmod(0o600), file.Close())
	if err == nil {
		err = os.Rename(file.Name(), filepath.Join(dir, recordFile))
	}
	if err != nil {
		return fmt.Errorf("write record: %w", errors.Join(err, os.Remove(file.Name())))
	}
	if r.Durable {
		syncDir(dir)
	}
	return nil
}

// encode returns the text of the record.
func (r Record) encode() ([]byte, error) {
	if text, ok := r.plainText(); ok {
		return text, nil
	}
	return r.encodeAny()
}

// encodeAny is encode for any record.
func (r Record) encodeAny() ([]byte, error) {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false) // users read it, and commands are full of & and >
	if err := encoder.Encode(r); err != nil {
		return nil, fmt.Errorf("write record: %w", err)
	}
	return text.Bytes(), nil
}
