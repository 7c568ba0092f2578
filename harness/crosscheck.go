//go:build darwin || linux

package harness

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"github.com/gemini-monitor/gemini/harness/internal/wire"
)

// Witnesses reports, by three independent means, whether a process of a job lives:
// an inherited pipe that is open, an inherited lock that is held, and on Linux a
// cgroup with processes in it. A process that closes its descriptors stays in the
// cgroup.
type Witnesses struct {
	Pipe, Lock bool
	// Cgroup is nil where no cgroup (version 2) can be made, as on macOS.
	Cgroup *bool
}

// CrossCheck gives each job that is started from now on a lock, at descriptor 4, and
// a cgroup of its own if one can be made. A process
// that the job starts and that closes what it inherited is in the cgroup too.
func (s *Stage) CrossCheck() { s.crossCheck = true }

// Witnesses returns the state of pipe, lock and cgroup of a job that was started
// after CrossCheck. The kernel closes pipe and lock before it reports an exit. When
// a dead process leaves its cgroup depends on the kernel.
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

// lockFile makes a file at path and returns it open and locked. The lock belongs to
// the open file: it lasts until the last descriptor of that is closed.
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

// held reports whether the lock at path is held. It tries to take it.
func held(path string) (bool, error) {
	file, err := os.Open(path)
	if err != nil {
		return false, fmt.Errorf("test a lock: %w", err)
	}
	defer file.Close()
	err = flock(file, unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		return true, nil
	}
	return false, err
}

// flock calls flock(2) until no signal interrupts it.
func flock(file *os.File, how int) error {
	for {
		if err := unix.Flock(int(file.Fd()), how); err != unix.EINTR {
			return err
		}
	}
}

// addWitnesses makes the command start with a lock and, if one can be made, in a cgroup of
// its own. It returns the files for the warden.
func (j *Job) addWitnesses(order *wire.Command) (given []*os.File, err error) {
	j.lock = j.stage.backstage(j.name + ".lock")
	file, err := lockFile(j.lock)
	if err != nil {
		return nil, err
	}
	given = append(given, file)
	j.cgroup, err = newCgroup("harness-" + j.stage.mark + "-" + j.name)
	if errors.Is(err, errors.ErrUnsupported) {
		j.stage.Logf("%s has no cgroup as a witness: %v", j.name, err)
		return given, nil
	}
	if err != nil {
		return given, err
	}
	j.stage.last = append(j.stage.last, j.cgroup.remove)
	directory, err := j.cgroup.open()
	if err != nil {
		return given, err
	}
	order.Cgroup = true
	return append(given, directory), nil
}
