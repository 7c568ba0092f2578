//go:build darwin || linux

package harness

import (
	"errors"
	"fmt"
	"os"
	"os/exec"

	"golang.org/x/sys/unix"
)

// A Witnesses is what the witnesses of a job say about whether anybody of it
// lives. They know it in different ways: an inherited pipe that ends, an
// inherited lock that is let go, and on Linux a cgroup that nobody leaves, not
// even by closing descriptors.
type Witnesses struct {
	Pipe, Lock bool
	// Cgroup is nil where no cgroup (version 2) can be made, as on macOS.
	Cgroup *bool
}

// CrossCheck gives all jobs that are started from now on more witnesses than
// their oracle: a lock, at descriptor 4, and a cgroup where one can be made. A
// monitor that a job starts is in the cgroup too, which then tells of the tree
// and of whoever watches it, where pipe and lock tell of the tree alone.
func (s *Stage) CrossCheck() { s.crossCheck = true }

// Witnesses asks all witnesses of a job that was started after CrossCheck. Pipe
// and lock are let go before anyone hears of an exit; when the cgroup is left
// depends on the kernel.
func (j *Job) Witnesses() Witnesses {
	j.stage.t.Helper()
	seen := Witnesses{Pipe: j.oracle.holds()}
	var err error
	if seen.Lock, err = held(j.lock); err != nil {
		j.stage.t.Fatalf("%s: %v", j.track.name, err)
	}
	if j.cgroup != nil {
		populated, err := j.cgroup.populated()
		if err != nil {
			j.stage.t.Fatalf("%s: %v", j.track.name, err)
		}
		seen.Cgroup = &populated
	}
	j.track.oracle().record(Event{What: seen.String()})
	return seen
}

func (w Witnesses) String() string {
	text := fmt.Sprintf("pipe held: %v, lock held: %v", w.Pipe, w.Lock)
	if w.Cgroup != nil {
		text += fmt.Sprintf(", cgroup populated: %v", *w.Cgroup)
	}
	return text
}

// lockFile makes a file at path and returns it open and locked. The lock is
// the open file's: it lasts until nobody has this very file open any more.
func lockFile(path string) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("make a lock: %w", err)
	}
	if err := flock(file, unix.LOCK_SH); err != nil {
		return nil, errors.Join(fmt.Errorf("lock %s: %w", path, err), file.Close())
	}
	return file, nil
}

// held asks whether somebody holds the lock at path, by trying to get it.
func held(path string) (bool, error) {
	file, err := os.Open(path)
	if err != nil {
		return false, fmt.Errorf("ask a lock: %w", err)
	}
	defer file.Close()
	err = flock(file, unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		return true, nil
	}
	return false, err
}

func flock(file *os.File, how int) error {
	for {
		if err := unix.Flock(int(file.Fd()), how); err != unix.EINTR {
			return err
		}
	}
}

// addWitnesses has cmd start with a lock and, where that can be, in a cgroup of
// its own. It returns our copies of what is given to cmd.
func (j *Job) addWitnesses(cmd *exec.Cmd) (given []*os.File, err error) {
	j.lock = j.output + ".lock"
	file, err := lockFile(j.lock)
	if err != nil {
		return nil, err
	}
	cmd.ExtraFiles = append(cmd.ExtraFiles, file)
	given = append(given, file)
	j.cgroup, err = newCgroup("gemini-" + j.stage.mark + "-" + j.track.name)
	if errors.Is(err, errors.ErrUnsupported) {
		return given, nil
	}
	if err != nil {
		return given, err
	}
	j.stage.last = append(j.stage.last, j.cgroup.remove)
	directory, err := j.cgroup.receive(cmd)
	if err != nil {
		return given, err
	}
	return append(given, directory), nil
}
