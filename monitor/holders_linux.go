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

// holdersOf looks at the open files of all processes. Where /proc shows no lock of any of
// them, those that have the file open are returned: it may not show locks at all.
func (v *Survey) holdersOf(ctx context.Context, lease string) (holding []int, unseen int, err error) {
	var file unix.Stat_t
	if err := unix.Stat(lease, &file); err != nil {
		return nil, 0, fmt.Errorf("%s: %w", lease, err)
	}
	var open []int
	for _, p := range v.live {
		if ctx.Err() != nil {
			return nil, 0, context.Cause(ctx)
		}
		use, err := useOf(fmt.Sprintf("/proc/%d", p.PID), filepath.Base(lease), fileID{uint64(file.Dev), file.Ino})
		switch {
		case errors.Is(err, fs.ErrPermission) && !isKernelThread(p) && lives(p.Identity):
			unseen++
		case use == locked:
			holding = append(holding, p.PID)
		case use == opened:
			open = append(open, p.PID)
		}
	}
	if len(holding) == 0 {
		holding = open
	}
	return holding, unseen, nil
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

// useOf returns what the process with a directory of /proc does with a file. Only files with
// its name are asked for more, because a file system may not answer.
func useOf(dir, name string, file fileID) (use, error) {
	descriptors, err := os.Open(filepath.Join(dir, "fd"))
	if err != nil {
		return unused, err
	}
	defer descriptors.Close()
	numbers, err := descriptors.Readdirnames(-1)
	most := unused
	for _, number := range numbers {
		link := filepath.Join(dir, "fd", number)
		target, err := os.Readlink(link)
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
			return locked, nil
		}
	}
	return most, err
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
