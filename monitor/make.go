package monitor

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// The umask of a job may take rights from its user too. What the functions of this file
// make, its user can use.

// makeDirs makes a directory, and those above it that do not exist.
func makeDirs(dir string) error {
	err := os.Mkdir(dir, 0o700)
	switch {
	case err == nil:
		return os.Chmod(dir, 0o700)
	case errors.Is(err, fs.ErrExist):
		return nil // what it is, Store.check finds out
	case errors.Is(err, fs.ErrNotExist) && filepath.Dir(dir) != dir:
		if err := makeDirs(filepath.Dir(dir)); err != nil {
			return err
		}
		return makeDirs(dir)
	}
	return err
}

// openUp gives a directory its mode if it has none at all. The process that made it under
// such a umask has died, or has not set the mode yet.
func openUp(dir string) error {
	info, err := os.Lstat(dir)
	if err != nil || !info.IsDir() || info.Mode().Perm() != 0 {
		return err
	}
	if owner, ok := ownerOf(info); ok && owner != os.Geteuid() {
		return nil // Store.check refuses it
	}
	return os.Chmod(dir, 0o700)
}

// makeFile makes a file with a content.
func makeFile(path string, content []byte) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if len(content) > 0 {
		_, err = file.Write(content)
	}
	return errors.Join(err, file.Chmod(0o600), file.Close())
}
