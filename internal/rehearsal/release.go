package rehearsal

import (
	"github.com/gemini-monitor/gemini/internal/core"
	"github.com/gemini-monitor/gemini/tracker/process"
	"github.com/gemini-monitor/gemini/tracker/trees"
)

// Release releases a process from a tree, with others that the caller knows to descend from
// it, and runs the tracker until it waits.
func (r *Rehearsal) Release(t *Tree, pids ...int) (err error) {
	var ids []process.Identity
	for _, pid := range pids {
		ids = append(ids, Identity(pid))
	}
	r.Follower.Do(func(c *core.Core) { _, err = c.Release(t.Tree, ids, r.Clock) })
	r.Run()
	return err
}

// Released returns the PIDs of the live processes that were released from the tree.
func (t *Tree) Released() (pids []int) {
	t.follower.Do(func(c *core.Core) { pids = pidsOf(c.Released(t.Tree)) })
	return pids
}

// PIDs returns those of the live members.
func (t *Tree) PIDs() []int { return pidsOf(t.Members()) }

func pidsOf(members []trees.Member) []int {
	pids := []int{}
	for _, m := range members {
		pids = append(pids, m.PID)
	}
	return pids
}
