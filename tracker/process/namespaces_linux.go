package process

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// inhabited reports whether a PID namespace below the initial one has a live
// process. It has as long as its init lives (pid_namespaces(7)).
func inhabited(namespace string) (bool, error) {
	r, err := OpenReader()
	if err != nil {
		return false, err
	}
	defer r.Close()
	rows, err := r.Read(nil)
	if err != nil {
		return false, err
	}
	for _, p := range rows {
		if p.State == Zombie {
			continue
		}
		lives, err := isIn(namespace, p.PID)
		if lives || err != nil {
			return lives, err
		}
	}
	return false, r.Partial() // a process that is not listed may be in it
}

// isIn reports whether a process is in a PID namespace. One that has gone is
// not.
func isIn(namespace string, pid int) (bool, error) {
	link, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/pid", pid))
	if !errors.Is(err, fs.ErrPermission) {
		return link == namespace, butGone(err)
	}
	// The namespace link of another user's process cannot be read. Its status
	// can, and shows whether it is in a nested namespace at all.
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return false, butGone(err)
	}
	if nested(string(status)) {
		return false, fmt.Errorf("process %d may be in it: %w", pid, fs.ErrPermission)
	}
	return false, nil
}

// butGone returns the error unless it means that the process has gone.
func butGone(err error) error {
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ESRCH) {
		return nil
	}
	return err
}

// nested reports from its /proc/PID/status whether a process has a PID in more
// namespaces than one.
func nested(status string) bool {
	_, after, _ := strings.Cut(status, "\nNSpid:")
	line, _, _ := strings.Cut(after, "\n")
	return len(strings.Fields(line)) > 1
}
