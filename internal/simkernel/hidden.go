package simkernel

import "slices"

// Partial implements [core.Kernel].
func (k *Kernel) Partial() error {
	if k.Hides && (!k.ShowsInit || k.hid) {
		return errHides
	}
	return nil
}

// lookForHidden reads the children files of init and of all processes that a read has
// shown, one after the other, and appends the rows of hidden children.
func (k *Kernel) lookForHidden(shown []*Process) []*Process {
	k.hid = false
	for k.parents = append([]*Process{nil}, shown...); len(k.parents) > 0; {
		k.call('c', 0, 0)
		parent := k.parents[0]
		k.parents = k.parents[1:]
		for _, p := range k.Listed {
			if p.parent != parent || !p.hidden() || p.state == Zombie || slices.Contains(shown, p) {
				continue
			}
			k.hid = true
			k.rows = append(k.rows, p.hiddenRow())
			shown = append(shown, p)
			k.Story("tracker: hidden child %s", p)
		}
	}
	return shown
}
