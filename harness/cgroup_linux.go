package harness

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// A cgroup is a control group, version 2. Its processes and all they fork stay
// in it whatever they do, so it is populated as long as any of them lives.
type cgroup struct{ dir string }

// newCgroup makes a cgroup below our own. Where that is not permitted, or there
// is no version 2, the error is errors.ErrUnsupported.
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

// ownCgroup is the directory of the cgroup that this process is in.
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

// lineField is a field of the first line of a file with what in it.
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
	return "", fmt.Errorf("find the cgroup: %w: nothing like %q in %s", errors.ErrUnsupported, what, path)
}

// receive has cmd begin its life in the cgroup. The file is to be closed once
// cmd was started.
func (g *cgroup) receive(cmd *exec.Cmd) (*os.File, error) {
	directory, err := os.Open(g.dir)
	if err != nil {
		return nil, fmt.Errorf("open the cgroup: %w", err)
	}
	cmd.SysProcAttr.UseCgroupFD, cmd.SysProcAttr.CgroupFD = true, int(directory.Fd())
	return directory, nil
}

// populated reports whether any process of the cgroup lives. Zombies do not.
func (g *cgroup) populated() (bool, error) {
	events, err := os.ReadFile(filepath.Join(g.dir, "cgroup.events"))
	if err != nil {
		return false, fmt.Errorf("ask the cgroup: %w", err)
	}
	return bytes.Contains(events, []byte("populated 1")), nil
}

// remove ends whoever is left and removes the cgroup, which is busy until the
// last of them has gone. It looks until ctx ends.
func (g *cgroup) remove(ctx context.Context) error {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	ending := g.kill()
	for {
		err := syscall.Rmdir(g.dir)
		if !errors.Is(err, syscall.EBUSY) {
			return g.explain(err)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return errors.Join(g.explain(err), ending)
		}
	}
}

func (g *cgroup) kill() error {
	kill, err := os.OpenFile(filepath.Join(g.dir, "cgroup.kill"), os.O_WRONLY, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // before Linux 5.14: the stage has killed whom it found
	}
	if err != nil {
		return err
	}
	_, err = kill.WriteString("1")
	return errors.Join(err, kill.Close())
}

// explain says which cgroup stays, and who is in it.
func (g *cgroup) explain(err error) error {
	if err == nil {
		return nil
	}
	pids, _ := os.ReadFile(filepath.Join(g.dir, "cgroup.procs")) // nobody, if it cannot be read
	return fmt.Errorf("remove the cgroup %s, with the processes %s: %w", g.dir, strings.Fields(string(pids)), err)
}
