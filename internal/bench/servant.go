package main

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// residentOf returns the PID of the resident monitor of a store, by its lock file.
func residentOf(store string) (int, error) {
	text, err := os.ReadFile(filepath.Join(store, "resident.lock"))
	if err != nil {
		return 0, err
	}
	var card struct {
		Process struct {
			PID int `json:"pid"`
		} `json:"process"`
	}
	if err := json.Unmarshal(text, &card); err != nil {
		return 0, err
	}
	if card.Process.PID <= 0 {
		return 0, errors.New("the lock file names no resident monitor")
	}
	return card.Process.PID, nil
}

// endResident ends the resident monitor of a store, and returns when it has ended. What it
// watches would stay.
func endResident(store string) error {
	pid, err := residentOf(store)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	ended, err := watchExit(pid)
	if err != nil {
		return nil // it has ended
	}
	p, err := os.FindProcess(pid)
	if err == nil {
		err = p.Signal(syscall.SIGTERM)
	}
	if err != nil {
		return err
	}
	return ended()
}

// awaitNone returns when the store has no runtime any more. The look takes a part of the
// beat, where there are many.
func (b bench) awaitNone() error {
	dir := filepath.Join(b.store, "runtimes")
	for deadline := time.Now().Add(herdPatience); time.Now().Before(deadline); time.Sleep(2 * time.Millisecond) { // the beat is stated with the figure
		d, err := os.Open(dir)
		if err != nil {
			return err
		}
		names, _ := d.Readdirnames(1)
		d.Close()
		if len(names) == 0 {
			return nil
		}
	}
	return errors.New("runtimes are left in the store")
}
