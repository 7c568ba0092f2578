package tracker

import (
	"fmt"
	"maps"
	"slices"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/tracker/process"
	"github.com/gemini-monitor/gemini/tracker/trees"
)

// A script is a kernel that has no will of its own: it shows the table, and
// posts the notices, that the spec has written. Its clock runs only while the
// tracker waits or reads.
type script struct {
	flavour process.Forks
	clock   time.Time
	cost    time.Duration // of a read
	rows    map[int]process.Row
	posted  []seamNotice
	watched map[int]process.StartTime

	unreadable   error         // what a read fails with
	refused      map[int]error // what adding a PID fails with
	broken       error         // what next fails with
	beforeRead   func()
	whileWaiting func(time.Duration)
	beforeAdd    func(pid int)

	reads int
	idle  bool // the tracker waits for a notice and for nothing else
}

func (s *script) now() time.Time { return s.clock }

func (s *script) forks() process.Forks { return s.flavour }

func (s *script) lineage() bool { return false }

func (s *script) inherit() {}

func (s *script) add(pid int) error {
	delete(s.watched, pid)
	if s.beforeAdd != nil {
		s.beforeAdd(pid)
	}
	if err := s.refused[pid]; err != nil {
		return err
	}
	row, listed := s.rows[pid]
	if !listed || row.State >= process.Exiting {
		return process.ErrGone
	}
	s.watched[pid] = row.Start
	return nil
}

func (s *script) remove(pid int) { delete(s.watched, pid) }

func (s *script) next(notices []seamNotice, timeout time.Duration) ([]seamNotice, error) {
	notices, s.posted = append(notices, s.posted...), nil
	s.wait(len(notices) > 0, timeout)
	return notices, s.broken
}

// wait is what a call does that has got something, or waits for it.
func (s *script) wait(got bool, timeout time.Duration) {
	s.idle = !got && timeout < 0
	if !got && timeout > 0 {
		s.clock = s.clock.Add(timeout)
		if s.whileWaiting != nil {
			s.whileWaiting(timeout)
		}
	}
}

func (s *script) read(rows []process.Row) ([]process.Row, time.Duration, error) {
	s.reads++
	s.clock = s.clock.Add(s.cost)
	if s.beforeRead != nil {
		s.beforeRead()
	}
	if s.unreadable != nil {
		return rows, s.cost, s.unreadable
	}
	for _, pid := range slices.Sorted(maps.Keys(s.rows)) {
		rows = append(rows, s.rows[pid])
	}
	return rows, s.cost, nil
}

func (s *script) lookup(pid int) (process.Row, error) {
	row, listed := s.rows[pid]
	if !listed {
		return process.Row{}, process.ErrGone
	}
	return row, nil
}

func (s *script) wake() {}

func (s *script) close() error { return nil }

// A row of the script: the higher its PID, the younger the process.
func row(pid, parent, group, session int, but ...func(*process.Row)) process.Row {
	p := process.Row{Process: process.Process{Identity: identity(pid), Parent: parent, Group: group, Session: session}}
	for _, change := range but {
		change(&p)
	}
	return p
}

func identity(pid int) process.Identity {
	return process.Identity{PID: pid, Start: process.StartTime(1000 + pid), Boot: "script"}
}

func exiting(p *process.Row) { p.State, p.Session = process.Exiting, 0 }
func zombie(p *process.Row)  { p.State, p.Session = process.Zombie, 0 }
func traced(p *process.Row)  { p.Tracer = 99 }
func born(start process.StartTime) func(p *process.Row) {
	return func(p *process.Row) { p.Start = start }
}

// ownPID is that of the process in which the tracker runs.
const ownPID = 7

// cast is who is there in most scripts: init, a terminal's shell, the tracker's
// own process, and a root with two children, of which one made a group and one
// a session.
func cast() map[int]process.Row {
	rows := make(map[int]process.Row)
	for _, p := range []process.Row{
		row(1, 0, 1, 1), row(5, 1, 5, 5), row(ownPID, 5, ownPID, 5),
		row(10, 5, 10, 5), row(11, 10, 11, 5), row(12, 10, 12, 12),
	} {
		rows[p.PID] = p
	}
	return rows
}

// A rehearsal plays a script to a tracker, step by step and without a
// goroutine.
type rehearsal struct {
	*script
	follower *follower
}

func rehearse(flavour process.Forks) *rehearsal {
	s := &script{
		flavour: flavour, clock: time.Unix(1, 0), cost: time.Millisecond, rows: cast(),
		watched: make(map[int]process.StartTime), refused: make(map[int]error),
	}
	return &rehearsal{s, newFollower(s, ownPID, s.now)}
}

// track begins a tree and lets the tracker come to rest.
func (r *rehearsal) track(pid int) *followed {
	GinkgoHelper()
	t, err := r.follower.Track(pid)
	Expect(err).NotTo(HaveOccurred())
	r.run()
	return &followed{r.follower, t}
}

func (r *rehearsal) resume(root int, known ...int) *followed {
	GinkgoHelper()
	var identities []process.Identity
	for _, pid := range known {
		identities = append(identities, identity(pid))
	}
	t, err := r.follower.Resume(identity(root), append([]process.Identity{identity(root)}, identities...))
	Expect(err).NotTo(HaveOccurred())
	r.run()
	return &followed{r.follower, t}
}

func (r *rehearsal) drop(t *followed) {
	r.follower.Do(func(c *core) { c.Drop(t.tree) })
}

// run has the tracker take steps until it waits for a notice only, or for ten
// seconds of its own time.
func (r *rehearsal) run() {
	GinkgoHelper()
	deadline := r.clock.Add(10 * time.Second)
	for steps := 0; steps == 0 || !r.idle && r.clock.Before(deadline); steps++ {
		Expect(r.follower.Step()).To(Succeed())
		Expect(steps).To(BeNumerically("<", 10_000), "the tracker does not come to rest")
	}
	r.recount()
}

// treeOf returns the nearest tree that a process is a member of.
func (r *rehearsal) treeOf(pid int) (t *followed, ok bool) {
	r.follower.Do(func(c *core) {
		if found := c.TreeOf(pid); found != nil {
			t, ok = &followed{r.follower, found}, true
		}
	})
	return t, ok
}

// A followed tree is one of a rehearsal.
type followed struct {
	follower *follower
	tree     *tree
}

// Root returns the process that the tree began with.
func (t *followed) Root() process.Identity { return t.tree.Root() }

// Members returns the live members.
func (t *followed) Members() (members []trees.Member) {
	t.follower.Do(func(c *core) { members = c.Members(t.tree) })
	return members
}

// Verdict returns what is established about the tree.
func (t *followed) Verdict() (v trees.Verdict, err error) {
	t.follower.Do(func(c *core) { v, err = c.Verdict(t.tree) })
	return v, err
}

// recount expects that each tree has as many members as it says.
func (r *rehearsal) recount() {
	GinkgoHelper()
	for _, t := range r.follower.core.trees {
		living, leaving := 0, 0
		for _, m := range r.follower.core.known {
			if m.alive() && m.tree.within(t) {
				living++
				leaving += m.leaving()
			}
		}
		Expect([]int{t.living, t.leaving}).To(Equal([]int{living, leaving}), "the tree of %v", t.root)
	}
}

// appears writes rows into the table, with the notice of a fork for a parent
// that is watched.
func (r *rehearsal) appears(rows ...process.Row) {
	GinkgoHelper()
	for _, p := range rows {
		r.rows[p.PID] = p
		if _, ok := r.watched[p.Parent]; ok && r.flavour != process.ForksUnseen {
			r.posted = append(r.posted, r.forked(p))
		}
	}
	r.run()
}

func (r *rehearsal) forked(p process.Row) seamNotice {
	if r.flavour == process.ForksNamed {
		r.watched[p.PID] = p.Start // from birth
		return seamNotice{PID: p.Parent, Events: process.Forked, Child: p.PID, found: p}
	}
	return seamNotice{PID: p.Parent, Events: process.Forked}
}

// replaces gives a PID to another process, without a notice.
func (r *rehearsal) replaces(p process.Row) { r.rows[p.PID] = p }

// dies has processes die, with the notices of those that are watched.
func (r *rehearsal) dies(pids ...int) {
	GinkgoHelper()
	for _, pid := range pids {
		r.bury(pid)
		if _, ok := r.watched[pid]; ok {
			delete(r.watched, pid)
			r.posted = append(r.posted, seamNotice{PID: pid, Events: process.Exited})
		}
	}
	r.run()
}

// bury takes a process out of the table. Its children go to init.
func (s *script) bury(pid int) {
	delete(s.rows, pid)
	for child, p := range s.rows {
		if p.Parent == pid {
			p.Parent = 1
			s.rows[child] = p
		}
	}
}

// links says of each member by what evidence it is one.
func links(t interface{ Members() []trees.Member }) map[int]string {
	found := make(map[int]string)
	for _, m := range t.Members() {
		found[m.PID] = m.Link.String()
	}
	return found
}

// verdict returns what is established, without the reason.
func verdict(t interface{ Verdict() (trees.Verdict, error) }) trees.Verdict {
	v, _ := t.Verdict()
	return v
}

// changes returns what happened to a tree since the last call, as "joined 11".
func changes(t *followed) (all []string) {
	f := t.follower
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, c := range f.core.Changes(t.tree) {
		text := string(c.Kind)
		if c.Member.PID != 0 {
			text += fmt.Sprint(" ", c.Member.PID)
		}
		all = append(all, text)
	}
	return all
}

// programName returns a program name for rows.
func programName(text string) (n process.Name) {
	copy(n[:], text)
	return n
}
