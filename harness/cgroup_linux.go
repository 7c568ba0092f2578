package harness

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// A cgroup is a control group, version 2. A fork, an exec or setsid does not leave
// it, so it is populated as long as one of its processes or their descendants lives.
type cgroup struct{ dir string }

// newCgroup makes a cgroup below that of this process. The error is
// errors.ErrUnsupported if that is not permitted or version 2 is not mounted.
func newCgroup(name string) (*cgroup, error) {
	own, err := ownCgroup()
	if err != nil {
		return nil, err
	}
	g := &cgroup{filepath.Join(own, name)}
	err = os.Mkdir(g.dir, 0o755)
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS) {
		return nil, fmt.Errorf("make a cgroup: %w: %w", errors.ErrUnsupported, err)
	}
	if err != nil {
		return nil, fmt.Errorf("make a cgroup: %w", err)
	}
	return g, nil
}

// ownCgroup returns the directory of the cgroup of this process.
func ownCgroup() (string, error) {
	mount, err := lineField("/proc/self/mounts", " cgroup2 ", " ", 1)
	if err != nil {
		return "", err
	}
	at, err := lineField("/proc/self/cgroup", "0::", "::", 1)
	if err != nil {
		return "", err
	}
	return filepath.Join(mount, at), nil
}

// lineField returns a field of the first line of a file that contains what.
func lineField(path, what, separator string, field int) (string, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("find the cgroup: %w", err)
	}
	for line := range strings.Lines(string(text)) {
		fields := strings.Split(strings.TrimSpace(line), separator)
		if strings.Contains(line, what) && len(fields) > field {
			return fields[field], nil
		}
	}
	return "", fmt.Errorf("find the cgroup: %w: no line with %q in %s", errors.ErrUnsupported, what, path)
}

// open returns the directory, by which a command starts in the cgroup.
func (g *cgroup) open() (*os.File, error) {
	directory, err := os.Open(g.dir)
	if err != nil {
		return nil, fmt.Errorf("open the cgroup: %w", err)
	}
	return directory, nil
}

// populated reports whether a process of the cgroup lives. A zombie does not.
func (g *cgroup) populated() (bool, error) {
	events, err := os.ReadFile(filepath.Join(g.dir, "cgroup.events"))
	if err != nil {
		return false, fmt.Errorf("read the cgroup: %w", err)
	}
	return bytes.Contains(events, []byte("populated 1")), nil
}

// remove kills the processes of the cgroup and removes it. The cgroup is busy until
// the last of them has ended; remove tries again until ctx ends.
func (g *cgroup) remove(ctx context.Context) error {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	killErr := g.kill()
	for {
		err := syscall.Rmdir(g.dir)
		if !errors.Is(err, syscall.EBUSY) {
			return g.removeError(err)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return errors.Join(g.removeError(err), killErr)
		}
	}
}

// kill sends SIGKILL to all processes of the cgroup.
func (g *cgroup) kill() error {
	kill, err := os.OpenFile(filepath.Join(g.dir, "cgroup.kill"), os.O_WRONLY, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // before Linux 5.14; the stage kills the processes that it finds
	}
	if err != nil {
		return err
	}
	_, err = kill.WriteString("1")
	return errors.Join(err, kill.Close())
}

// removeError adds the cgroup and its processes to an error of remove.
func (g *cgroup) removeError(err error) error {
	if err == nil {
		return nil
	}
	pids, _ := os.ReadFile(filepath.Join(g.dir, "cgroup.procs")) // empty if it cannot be read
	return fmt.Errorf("remove the cgroup %s, with the processes %s: %w", g.dir, strings.Fields(string(pids)), err)
}
