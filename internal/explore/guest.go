package explore

import (
	"errors"

	"github.com/gemini-monitor/gemini/internal/core"
)

// In a case in which a process asks to join the tree, the tracker considers that between two
// of its steps, as a monitor has it do. The process goes on meanwhile: it may make children,
// or exit.

// asked reports whether a process asks to join the tree and was not considered.
func (r *Run) asked() bool {
	return r.Tree != nil && r.Tree.Begun() && r.Kernel.Asking() != nil
}

// welcome has the tracker consider those that ask. One that finds the tree without a member
// is considered again, until the tree is found empty.
func (r *Run) welcome() {
	for r.asked() {
		p := r.Kernel.Asking()
		p.Considered = true
		if r.Hasty {
			r.Kernel.Answer(p, true)
			continue
		}
		strangers := r.Kernel.Before(p)
		r.Kernel.Beginning(true)
		err := r.Follower.Join(r.Tree, p.Identity(), strangers)
		r.Kernel.Beginning(false)
		r.Kernel.Stage = 0
		if errors.Is(err, core.ErrVacant) && !r.Tree.FoundEmpty() {
			continue
		}
		r.Kernel.Answer(p, err == nil)
	}
}
