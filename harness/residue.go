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

// clear waits until no process of the stage is left. After the grace time it kills the
// rest and returns a line for each.
func (s *Stage) clear(ctx context.Context) []string {
	tick := time.NewTicker(lookTime())
	defer tick.Stop()
	limit, cancel := context.WithTimeout(ctx, s.grace)
	defer cancel()
	if s.t.Failed() {
		cancel() // a failed test looks once and does not wait
	}
	for {
		left, lost, err := s.residue()
		if err != nil {
			return []string{err.Error()}
		}
		if len(left) == 0 {
			return lost
		}
		select {
		case <-tick.C:
		case <-limit.Done():
			return append(lost, s.kill(left)...)
		}
	}
}

// residue returns a line for each process of the stage, by its PID. PID 0 stands for
// processes that a witness knows and that are not in the table. Lost has a line for each
// warden that has ended: its processes are looked for as where launchd adopts orphans.
func (s *Stage) residue() (left map[int]string, lost []string, err error) {
	left = map[int]string{}
	exact := true
	for _, g := range s.guards.list() {
		children, adopts, err := g.ask()
		if err != nil {
			lost, exact = append(lost, err.Error()+s.wardenLog()), false
			continue
		}
		exact = exact && adopts
		if children {
			left[0] = "a process that is not in the table yet"
		}
	}
	for _, t := range s.trees.list() {
		if t.oracle != nil && t.oracle.holds() {
			left[0] = t.name + ": a process holds descriptor 3"
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
		left[m.PID] = m.String()
	}
	return left, lost, nil
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
		if arguments, _ := table.Words(pid); strings.Contains(join(arguments), s.dir) {
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

// kill ends what is left and returns its lines in the order of the PIDs.
func (s *Stage) kill(left map[int]string) []string {
	var lines []string
	for _, pid := range sortedKeys(left) {
		if pid > 0 {
			_ = syscall.Kill(pid, syscall.SIGKILL) // the wardens try again, and report
		}
		lines = append(lines, "process "+left[pid])
	}
	for _, g := range s.guards.list() {
		if err := g.end(); err != nil && !errors.Is(err, errWardenGone) {
			lines = append(lines, err.Error())
		}
	}
	return lines
}

// remember returns the processes and the files of the stage as text, for the report of
// what is left behind: at that time the stage has ended some of them.
func (s *Stage) remember() string {
	if len(s.guards.list()) == 0 {
		return ""
	}
	forest, err := s.forest(nil)
	return "\n  processes before the stage ended any\n" + forest + outcome(err) + "\n  files before\n" + s.listing()
}

// listing returns the files of the stage, a line each.
func (s *Stage) listing() string {
	var page strings.Builder
	filepath.WalkDir(s.dir, func(path string, entry fs.DirEntry, err error) error {
		switch relative, _ := filepath.Rel(s.dir, path); {
		case err != nil:
			fmt.Fprintf(&page, "  %s: %v\n", relative, err)
		case relative == "home" || relative == "user":
			return fs.SkipDir
		case relative != ".":
			fmt.Fprintf(&page, "  %s %s\n", entry.Type(), relative)
		}
		return nil
	})
	return page.String()
}

// wardenLog returns what the wardens have written, usually nothing.
func (s *Stage) wardenLog() string {
	text, _ := os.ReadFile(s.Path("wardens"))
	if len(text) == 0 {
		return ""
	}
	return "\nwarden: " + brief(string(text), 2000)
}
