package monitor

import (
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
)

// DefaultDir returns the store of a user who names none:
// $XDG_STATE_HOME/gemini-monitor if that variable is set, on macOS
// ~/Library/Application Support/gemini-monitor, elsewhere
// ~/.local/state/gemini-monitor.
//
// The home directory is $HOME, else that of the user database. Root does not use the
// directories of another user, as after sudo: it would leave its own files there, which
// that user could not enter.
func DefaultDir() (string, error) {
	const name = "gemini-monitor"
	if state := os.Getenv("XDG_STATE_HOME"); filepath.IsAbs(state) && !foreign(state) {
		return filepath.Join(state, name), nil
	}
	home, err := homeDir()
	if err != nil {
		return "", fmt.Errorf("find the user's state directory: %w; name a store with --store or %s", err, EnvStore)
	}
	return filepath.Join(home, stateDir, name), nil
}

func homeDir() (string, error) {
	home := os.Getenv("HOME")
	setting := fmt.Sprintf("HOME is %q", home)
	if home == "" {
		setting = "HOME is not set"
	}
	switch {
	case home != "" && !filepath.IsAbs(home):
		return "", fmt.Errorf("%s, which is no absolute path", setting)
	case home != "" && !foreign(home):
		return home, nil
	}
	u, err := user.LookupId(strconv.Itoa(os.Geteuid()))
	if err != nil {
		return "", fmt.Errorf("%s, and the user database has no other: %w", setting, err)
	}
	if !filepath.IsAbs(u.HomeDir) || foreign(u.HomeDir) {
		return "", fmt.Errorf("%s, and in the user database it is %q", setting, u.HomeDir)
	}
	return u.HomeDir, nil
}

// foreign reports whether the calling user is root and a directory is another user's. Of
// one that does not exist, the nearest above it counts that does.
func foreign(dir string) bool {
	if os.Geteuid() != 0 {
		return false
	}
	for ; ; dir = filepath.Dir(dir) {
		info, err := os.Stat(dir)
		if err == nil {
			owner, known := ownerOf(info)
			return known && owner != 0
		}
		if filepath.Dir(dir) == dir {
			return false
		}
	}
}
