//go:build darwin || linux

package harness

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/gemini-monitor/gemini/harness/internal/table"
)

// lookTime is the time between two looks at what is left. Where the table has to be read a
// look takes some milliseconds itself.
func lookTime() time.Duration {
	if adopted {
		return tickTime
	}
	return 4 * tickTime
}

// endTime is how long what was killed may take to end, in the clean-up of a failed test.
const endTime = 250 * time.Millisecond

// clear waits until no process of the stage is left. After the grace time it kills the
// rest and returns it. A failed test waits only until what was killed has ended.
func (s *Stage) clear(ctx context.Context) []leak {
	tick := time.NewTicker(lookTime())
	defer tick.Stop()
	grace := s.grace
	if s.fails() {
		grace = min(grace, endTime)
	}
	limit, cancel := context.WithTimeout(ctx, grace)
	defer cancel()
	for {
		left, lost, err := s.residue()
		if err != nil {
			return []leak{{text: err.Error()}}
		}
		if len(left) == 0 {
			return lost
		}
		select {
		case <-tick.C:
		case <-limit.Done():
			return append(lost, s.kill(left, grace)...)
		}
	}
}

// residue returns the processes of the stage by their PIDs. PID 0 stands for processes
// that a witness knows and that are not in the table. Lost has an entry for each warden
// that has ended: its processes are looked for as where launchd adopts orphans.
func (s *Stage) residue() (left map[int]leak, lost []leak, err error) {
	left = map[int]leak{}
	exact := true
	for _, g := range s.guards.list() {
		children, adopts, err := g.ask()
		if err != nil {
			lost, exact = append(lost, leak{text: err.Error() + s.wardenLog()}), false
			continue
		}
		exact = exact && adopts
		if children {
			left[0] = leak{text: "a process that is not in the table yet"}
		}
	}
	for _, t := range s.trees.list() {
		if t.oracle != nil && t.oracle.holds() {
			left[0] = leak{tree: t, text: "a process that holds descriptor 3"}
		}
	}
	if exact && len(left) == 0 {
		return nil, nil, nil
	}
	all, err := table.All()
	if err != nil {
		return nil, lost, err
	}
	pids := s.belongings(all, exact)
	if len(pids) > 0 {
		delete(left, 0)
	}
	for _, m := range membersOf(pids, all) {
		left[m.PID] = leak{tree: s.origin(all, all[m.PID]), pid: m.PID, text: m.String()}
	}
	return left, lost, nil
}

// origin returns the tree to which a process belongs, as far as its warden, its mark or an
// earlier look tells, or nil.
func (s *Stage) origin(all map[int]table.Row, r table.Row) *tree {
	var common []*tree // the commands of Run, which have one warden
	for _, t := range s.trees.list() {
		below := slices.Contains(table.Below(all, t.process.guard.pid()), r.PID)
		switch {
		case below && !t.shared, t.carries(r), t.remembers(r):
			return t
		case below:
			common = append(common, t)
		}
	}
	if len(common) == 1 {
		return common[0]
	}
	return nil
}

// belongings returns the processes of the stage that a table shows, wardens left out.
func (s *Stage) belongings(all map[int]table.Row, exact bool) []int {
	var pids []int
	for _, g := range s.guards.list() {
		pids = append(pids, table.Below(all, g.pid())...)
	}
	if !exact {
		for _, t := range s.trees.list() {
			if !t.shared { // the mark of a command of Run has that of the stage
				pids = append(pids, t.marked(all)...)
			}
		}
		pids = append(pids, s.named(all)...)
	}
	slices.Sort(pids)
	return living(slices.Compact(pids), all)
}

// named returns the processes in the session of a warden, with the stage's mark, or with
// its directory in their arguments. None of them is older than the first tree.
func (s *Stage) named(all map[int]table.Row) (pids []int) {
	trees := s.trees.list()
	if len(trees) == 0 {
		return nil
	}
	wardens := map[int]bool{}
	for _, g := range s.guards.list() {
		wardens[g.pid()] = true
	}
	for pid, r := range all {
		if trees[0].began.has(r) || pid == os.Getpid() || wardens[pid] {
			continue
		}
		if wardens[table.Session(r)] {
			pids = append(pids, pid)
			continue
		}
		if text := s.marks.of(r); text != "" {
			if strings.HasPrefix(text, s.mark+".") {
				pids = append(pids, pid)
			}
			continue
		}
		if arguments, _ := table.Words(pid); strings.Contains(join(arguments), s.place+"/") {
			pids = append(pids, pid)
		}
	}
	return pids
}

// note remembers the processes of all trees.
func (s *Stage) note() {
	all, err := table.All()
	if err != nil {
		return // a look that fails the test comes later
	}
	for _, t := range s.trees.list() {
		if !t.shared { // a command of Run is nothing that a test asks about
			t.marked(all)
		}
	}
}

// kill ends what is left after the grace time, and returns it in the order of the PIDs.
func (s *Stage) kill(left map[int]leak, grace time.Duration) []leak {
	var leaks []leak
	for _, pid := range sortedKeys(left) {
		l := left[pid]
		leaks = append(leaks, l)
		if pid > 0 {
			s.spec.record(Event{What: fmt.Sprintf("the stage finds, after %s, and kills: %s", short(grace), l.line(s.t))})
			_ = syscall.Kill(pid, syscall.SIGKILL) // the wardens try again, and report
		}
	}
	for _, g := range s.guards.list() {
		if err := g.end(); err != nil && !errors.Is(err, errWardenGone) {
			leaks = append(leaks, leak{text: err.Error()})
		}
	}
	return leaks
}

// remember returns the processes and the files of the stage as text, for the report of
// what is left behind: at that time the stage has ended some of them.
func (s *Stage) remember() string {
	if len(s.guards.list()) == 0 {
		return ""
	}
	forest, err := s.forest(nil)
	text := "\n  processes before the stage ended any\n" + forest + outcome(err)
	if files := s.listing(); files != "" {
		text += "\n  files before the stage removed them\n" + files
	}
	return text
}

// listing returns the files of the stage, a line each.
func (s *Stage) listing() string {
	var page strings.Builder
	filepath.WalkDir(s.dir, func(path string, entry fs.DirEntry, err error) error {
		switch relative, _ := filepath.Rel(s.dir, path); {
		case err != nil:
			fmt.Fprintf(&page, "  %s: %v\n", relative, err)
		case relative != ".":
			fmt.Fprintf(&page, "  %s %s\n", entry.Type(), relative)
		}
		return nil
	})
	return page.String()
}

// wardenLog returns what the wardens have written, usually nothing.
func (s *Stage) wardenLog() string {
	text, _ := os.ReadFile(s.backstage("wardens"))
	if len(text) == 0 {
		return ""
	}
	return "\nwarden: " + brief(string(text), 2000)
}
