package rehearsal

import (
	"fmt"
	"time"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/internal/core"
	"github.com/gemini-monitor/gemini/tracker/process"
	"github.com/gemini-monitor/gemini/tracker/trees"
)

// EveryFlavour has an entry for each kind of report that kernels make of forks.
var EveryFlavour = []ginkgo.TableEntry{
	ginkgo.Entry("where forks are announced", process.ForksAnnounced),
	ginkgo.Entry("where forks are named", process.ForksNamed),
	ginkgo.Entry("where forks are unseen", process.ForksUnseen),
}

// A Rehearsal plays a script to a tracker, step by step and without a
// goroutine.
type Rehearsal struct {
	*Script
	Follower *core.Follower
}

// New returns a rehearsal of the cast on a kernel that reports so much of forks.
func New(flavour process.Forks) *Rehearsal {
	s := &Script{
		flavour: flavour, Clock: time.Unix(1, 0), Cost: time.Millisecond, Rows: cast(),
		Watched: make(map[int]process.StartTime), Refused: make(map[int]error),
	}
	return &Rehearsal{s, core.NewFollower(s, OwnPID, s.now)}
}

// Track begins a tree and runs the tracker until it waits.
func (r *Rehearsal) Track(pid int) *Tree {
	ginkgo.GinkgoHelper()
	t, err := r.Follower.Track(pid)
	gomega.Expect(err).NotTo(gomega.HaveOccurred())
	r.Run()
	return &Tree{r.Follower, t}
}

// Resume resumes a tree and runs the tracker until it waits.
func (r *Rehearsal) Resume(root int, known ...int) *Tree {
	ginkgo.GinkgoHelper()
	var identities []process.Identity
	for _, pid := range known {
		identities = append(identities, Identity(pid))
	}
	return r.Follow(root, trees.History{Members: append([]process.Identity{Identity(root)}, identities...)})
}

// Follow begins a tree of which something is known, and runs the tracker until it waits.
func (r *Rehearsal) Follow(root int, h trees.History) *Tree {
	ginkgo.GinkgoHelper()
	t, err := r.Follower.Resume(Identity(root), h)
	gomega.Expect(err).NotTo(gomega.HaveOccurred())
	r.Run()
	return &Tree{r.Follower, t}
}

// Drop ends following a tree.
func (r *Rehearsal) Drop(t *Tree) {
	r.Follower.Do(func(c *core.Core) { c.Drop(t.Tree) })
}

// Run has the tracker take steps until it waits for a notice only, or for ten
// seconds of its own time.
func (r *Rehearsal) Run() {
	ginkgo.GinkgoHelper()
	deadline := r.Clock.Add(10 * time.Second)
	for steps := 0; steps == 0 || !r.Idle && r.Clock.Before(deadline); steps++ {
		gomega.Expect(r.Follower.Step()).To(gomega.Succeed())
		gomega.Expect(steps).To(gomega.BeNumerically("<", 10_000), "the tracker does not come to rest")
	}
	r.Follower.Do(func(c *core.Core) { gomega.Expect(c.CheckCounts()).To(gomega.Succeed()) })
}

// Knows reports whether a process is a live member of a tree.
func (r *Rehearsal) Knows(pid int) (known bool) {
	r.Follower.Do(func(c *core.Core) { known = c.Knows(pid) })
	return known
}

// TreeOf returns the nearest tree that a process is a member of.
func (r *Rehearsal) TreeOf(pid int) (t *Tree, ok bool) {
	r.Follower.Do(func(c *core.Core) {
		if found := c.TreeOf(pid); found != nil {
			t, ok = &Tree{r.Follower, found}, true
		}
	})
	return t, ok
}

// A Tree is a tree of a rehearsal.
type Tree struct {
	follower *core.Follower
	Tree     *core.Tree
}

// Root returns the process that the tree began with.
func (t *Tree) Root() process.Identity { return t.Tree.Root() }

// Members returns the live members.
func (t *Tree) Members() (members []trees.Member) {
	t.follower.Do(func(c *core.Core) { members = c.Members(t.Tree) })
	return members
}

// Verdict returns what is established about the tree.
func (t *Tree) Verdict() (v trees.Verdict, err error) {
	t.follower.Do(func(c *core.Core) { v, err = c.Verdict(t.Tree) })
	return v, err
}

// Appears writes rows into the table, with the notice of a fork for a parent
// that is watched.
func (r *Rehearsal) Appears(rows ...process.Row) {
	ginkgo.GinkgoHelper()
	for _, p := range rows {
		r.Rows[p.PID] = p
		if _, ok := r.Watched[p.Parent]; ok && r.flavour != process.ForksUnseen {
			r.Posted = append(r.Posted, r.forked(p))
		}
	}
	r.Run()
}

func (r *Rehearsal) forked(p process.Row) core.Notice {
	if r.flavour == process.ForksNamed {
		r.Watched[p.PID] = p.Start // from birth
		return core.Notice{PID: p.Parent, Events: process.Forked, Child: p.PID, Found: p}
	}
	return core.Notice{PID: p.Parent, Events: process.Forked}
}

// Replaces gives a PID to another process, without a notice.
func (r *Rehearsal) Replaces(p process.Row) { r.Rows[p.PID] = p }

// Dies has processes die, with the notices of those that are watched.
func (r *Rehearsal) Dies(pids ...int) {
	ginkgo.GinkgoHelper()
	for _, pid := range pids {
		r.Bury(pid)
		if _, ok := r.Watched[pid]; ok {
			delete(r.Watched, pid)
			r.Posted = append(r.Posted, core.Notice{PID: pid, Events: process.Exited})
		}
	}
	r.Run()
}

// Links returns by PID the evidence by which each member is one.
func Links(t interface{ Members() []trees.Member }) map[int]string {
	found := make(map[int]string)
	for _, m := range t.Members() {
		found[m.PID] = m.Link.String()
	}
	return found
}

// Verdict returns what is established, without the reason.
func Verdict(t interface{ Verdict() (trees.Verdict, error) }) trees.Verdict {
	v, _ := t.Verdict()
	return v
}

// Changes returns what happened to a tree since the last call, as "joined 11".
func Changes(t *Tree) (all []string) {
	var log []trees.Change
	t.follower.Do(func(c *core.Core) { log = c.Changes(t.Tree) })
	for _, c := range log {
		text := string(c.Kind)
		if c.Member.PID != 0 {
			text += fmt.Sprint(" ", c.Member.PID)
		}
		all = append(all, text)
	}
	return all
}

// HappensLater lets time pass.
func (r *Rehearsal) HappensLater(after time.Duration) {
	r.Clock = r.Clock.Add(after)
	r.Run()
}

// Handle returns the handle of a tree that the follower began.
func (r *Rehearsal) Handle(t *core.Tree) *Tree { return &Tree{r.Follower, t} }
