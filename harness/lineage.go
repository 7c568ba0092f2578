//go:build darwin || linux

package harness

import (
	"maps"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/gemini-monitor/gemini/harness/internal/table"
)

// Where no process adopts the orphans of a tree, as on macOS, the functions of this file
// find them by what a fork passes on.

// A starts has the start of some processes by PID.
type starts map[int]int64

// birth returns the starts of all processes, if the orphans of a tree that begins now will
// not be adopted by its warden. Commands of Run have no census and share those of the first
// tree.
func (s *Stage) birth(shared bool) (starts, error) {
	if adopted {
		return nil, nil
	}
	if first := s.trees.list(); shared && len(first) > 0 {
		return first[0].began, nil
	}
	all, err := table.All()
	if err != nil {
		return nil, err
	}
	began := make(starts, len(all))
	for pid, r := range all {
		began[pid] = r.Start
	}
	return began, nil
}

// has reports whether the process is among them.
func (b starts) has(r table.Row) bool {
	start, there := b[r.PID]
	return there && start == r.Start
}

// treeVariable marks the environment of the processes of a tree.
const treeVariable = "HARNESS_TREE"

// marked returns the processes of a tree that are not below its warden: those of its
// session or group, with its mark in the environment, those of an earlier look, and all
// their descendants.
func (t *tree) marked(all map[int]table.Row) []int {
	found := map[int]bool{}
	claim := func(pid int) {
		found[pid] = true
		for _, child := range table.Below(all, pid) {
			found[child] = true
		}
	}
	warden, command := t.process.guard.pid(), t.process.pid
	if _, there := all[command]; there && closed(t.process.exited) {
		command = -1 // another process has its PID, so its group and session are not ours
	}
	for pid, r := range all {
		if pid == warden || t.began.has(r) || pid == os.Getpid() {
			continue
		}
		session := table.Session(r)
		if session == warden || session == command || r.Group == command || t.remembers(r) || t.carries(r) {
			claim(pid)
		}
	}
	delete(found, warden)
	t.mu.Lock()
	defer t.mu.Unlock()
	for pid := range found {
		t.seen[pid] = all[pid].Start
	}
	return slices.Sorted(maps.Keys(found))
}

// remembers reports whether an earlier look has found the process.
func (t *tree) remembers(r table.Row) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.seen.has(r)
}

// carries reports whether the environment of a process has, or had at an earlier look, the
// mark of the tree.
func (t *tree) carries(r table.Row) bool { return t.stage.marks.of(r) == t.mark }

// marks are the marks that processes have in their environment, by PID.
type marks struct {
	mu   sync.Mutex
	seen map[int]mark
}

type mark struct {
	start int64
	text  string
}

// of returns the mark of the tree to which a process belongs, "" if it shows none: macOS
// hides the environment of Apple's programs (System Integrity Protection).
func (m *marks) of(r table.Row) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	if known, there := m.seen[r.PID]; there && known.start == r.Start {
		return known.text
	}
	_, environment := table.Words(r.PID)
	for _, entry := range environment {
		if text, ok := strings.CutPrefix(entry, treeVariable+"="); ok {
			if m.seen == nil {
				m.seen = map[int]mark{}
			}
			m.seen[r.PID] = mark{r.Start, text}
			return text
		}
	}
	return ""
}

// strangers returns the processes that began after a tree and may belong to it: orphans
// of this user that carry no mark of another tree and are no part of the system.
func (t *tree) strangers(all map[int]table.Row) []int {
	var found []int
	for pid, r := range all {
		if r.Ended || t.began.has(r) || !orphaned(all, r, t.began) || pid == os.Getpid() {
			continue
		}
		if user := table.User(pid); user == -1 || user != os.Geteuid() && os.Geteuid() != 0 {
			continue
		}
		if t.stage.marks.of(r) != "" { // another tree's
			continue
		}
		// A process that is exiting shows no arguments.
		if arguments, _ := table.Words(pid); len(arguments) > 0 && ofSystem(arguments[0]) {
			continue
		}
		found = append(found, pid)
	}
	slices.Sort(found)
	return found
}

// orphaned reports whether no ancestor of a process tells where it comes from: the
// highest one that is younger than the tree is a child of process 1.
func orphaned(all map[int]table.Row, r table.Row, began starts) bool {
	for range len(all) {
		parent, there := all[r.Parent]
		if !there || parent.PID <= 1 {
			return true
		}
		if began.has(parent) {
			return false
		}
		r = parent
	}
	return true
}

// ofSystem reports whether a program is a part of macOS that launchd starts at any time.
func ofSystem(path string) bool {
	for _, home := range []string{"/System/", "/usr/libexec/", "/Library/Apple/"} {
		if strings.HasPrefix(path, home) {
			return true
		}
	}
	return false
}
