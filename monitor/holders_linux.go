package monitor

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/gemini-monitor/gemini/tracker/process"
)

// search looks at the open files of processes. /proc may show no lock of any of them.
func search(ctx context.Context, lease string, at []process.Process) (seen sighting, err error) {
	var file unix.Stat_t
	if err := unix.Stat(lease, &file); err != nil {
		return seen, fmt.Errorf("%s: %w", lease, err)
	}
	for _, p := range at {
		if ctx.Err() != nil {
			return seen, context.Cause(ctx)
		}
		use, err := useBy(p, filepath.Base(lease), fileID{uint64(file.Dev), file.Ino})
		switch {
		case use == locked:
			seen.locked = append(seen.locked, p.PID)
		case (errors.Is(err, fs.ErrPermission) || errors.Is(err, errMoving)) && !isKernelThread(p) && lives(p.Identity):
			seen.unseen = append(seen.unseen, p.PID)
		case use == opened:
			seen.opened = append(seen.opened, p.PID)
		case err == nil:
			seen.others = append(seen.others, p.PID)
		}
	}
	return seen, nil
}

// useBy returns what a process does with a file. The directory of a process in /proc stays that
// of the process: when its PID is another's, nothing can be read in it.
func useBy(p process.Process, name string, file fileID) (use, error) {
	dir, err := os.Open(fmt.Sprintf("/proc/%d", p.PID))
	if err != nil {
		return unused, err
	}
	defer dir.Close()
	if now, err := process.Lookup(p.PID); err != nil || now.Identity != p.Identity {
		return unused, errors.Join(err, process.ErrGone)
	}
	return useOfAll(fmt.Sprintf("/proc/self/fd/%d", dir.Fd()), name, file)
}

// errMoving reports a process that opens and closes files all the time.
var errMoving = errors.New("its files change during the look")

// tries is how often the files of one thread are looked at that change meanwhile: one that
// was moved to another descriptor may be missed.
const tries = 4

// useOfAll returns what the process with a directory of /proc does with a file. Each thread
// may have files of its own (unshare(2), CLONE_FILES), and the first may have ended.
func useOfAll(dir, name string, file fileID) (most use, err error) {
	threads, err := os.ReadDir(filepath.Join(dir, "task"))
	if err != nil {
		return unused, err
	}
	for _, thread := range threads {
		var found use
		changed := true
		for n := 0; n < tries && changed && found != locked; n++ {
			var failed error
			found, changed, failed = useOf(filepath.Join(dir, "task", thread.Name()), name, file)
			if most = max(most, found); failed != nil && !errors.Is(failed, fs.ErrNotExist) {
				err = failed
			}
		}
		if changed && found != locked && err == nil {
			err = errMoving
		}
	}
	return most, err
}

// lives reports whether a process has not ended since it was read. The files of a zombie may
// not be seen either.
func lives(id process.Identity) bool {
	now, err := process.Lookup(id.PID)
	return err != nil && !errors.Is(err, process.ErrGone) || err == nil && now.Identity == id && now.State != process.Zombie
}

// isKernelThread reports whether a process is a thread of the kernel, which has no file:
// all are children of process 2 (docs/linux.md L74).
func isKernelThread(p process.Process) bool {
	const kthreadd = 2
	return p.Group == 0 && p.Session == 0 && (p.PID == kthreadd || p.Parent == kthreadd)
}

// A use is what a process does with a file.
type use uint8

const (
	unused use = iota
	opened     // it has the file open
	locked     // with a lock of flock(2)
)

// useOf returns what the thread with a directory of /proc does with a file, and whether
// descriptors were closed during the look. Only files with its name are asked for more, because
// a file system may not answer.
func useOf(dir, name string, file fileID) (most use, changed bool, err error) {
	descriptors, err := os.Open(filepath.Join(dir, "fd"))
	if err != nil {
		return unused, false, err
	}
	defer descriptors.Close()
	numbers, err := descriptors.Readdirnames(-1)
	for _, number := range numbers {
		link := filepath.Join(dir, "fd", number)
		target, err := os.Readlink(link)
		changed = changed || errors.Is(err, fs.ErrNotExist)
		if err != nil || filepath.Base(strings.TrimSuffix(target, " (deleted)")) != name {
			continue
		}
		var there unix.Stat_t
		if unix.Stat(link, &there) != nil || (fileID{uint64(there.Dev), there.Ino}) != file {
			continue
		}
		most = max(most, opened)
		info, err := os.ReadFile(filepath.Join(dir, "fdinfo", number))
		if hasFlock(info) || errors.Is(err, fs.ErrPermission) {
			return locked, false, nil
		}
	}
	return most, changed, err
}

// hasFlock reports whether a file of /proc/PID/fdinfo shows a lock of flock(2), of the open
// file that the descriptor belongs to (docs/linux.md L73).
func hasFlock(info []byte) bool {
	for line := range bytes.Lines(info) {
		if rest, ok := bytes.CutPrefix(line, []byte("lock:")); ok && bytes.Contains(rest, []byte(" FLOCK ")) {
			return true
		}
	}
	return false
}
