// Package mounts finds the mounts of layerfs, without asking one: a dead one does not answer.
package mounts

import (
	"fmt"
	"path/filepath"
)

// A Mount is what the mount table has of a directory.
type Mount struct {
	Point  string
	Kind   string // the type of the file system
	Source string // what it was mounted from
}

// Resolve returns the absolute path of a directory without links, as the mount table has it.
// It does not look at the directory itself, only at those above.
func Resolve(point string) (string, error) {
	abs, err := filepath.Abs(point)
	if err != nil {
		return "", err
	}
	above, err := filepath.EvalSymlinks(filepath.Dir(abs))
	if err != nil {
		return "", fmt.Errorf("mount point %s: %w", point, err)
	}
	return filepath.Join(above, filepath.Base(abs)), nil
}

// At returns what is mounted at a resolved path. It is the zero Mount where nothing is.
func At(point string) (found Mount, err error) {
	all, err := table()
	for _, m := range all {
		if m.Point == point {
			found = m // a later one covers an earlier one
		}
	}
	return found, err
}

// A User is a process that keeps a mount busy.
type User struct {
	PID     int    `json:"pid"`
	Command string `json:"command"`
	How     string `json:"how"`
}
