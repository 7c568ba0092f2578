package simkernel

import (
	"slices"

	"github.com/gemini-monitor/gemini/tracker/process"
)

// TrackerDies ends what the kernel does for the tracker: its watches, the notices that it
// has not taken, the call that it is in. No notice is kept until [Kernel.TrackerBegins].
// What the tracker was shown is forgotten with it.
func (k *Kernel) TrackerDies() {
	k.deaf, k.lives = true, k.lives+1
	k.knotes, k.events = nil, nil
	k.rows, k.todo, k.parents, k.hid = nil, nil, nil, false
	k.Stage, k.kind, k.about, k.patient = 0, 0, 0, false
	for _, p := range k.All {
		p.underMother, p.ids, p.named, p.lineageShown = false, nil, false, false
		p.lineageSeen, p.rowSeen, p.known, p.markShown = 0, false, false, false
	}
}

// TrackerBegins has notices kept for another tracker, which knows the members of the
// tree that a journal names.
func (k *Kernel) TrackerBegins(known []process.Identity) {
	k.deaf = false
	for _, p := range k.All {
		p.known = slices.Contains(known, p.Identity())
	}
}

// Known reports whether the journal that the present tracker began with names a process.
func (k *Kernel) Known(p *Process) bool { return p.known }

// Linked reports whether the kernel shows at this moment that a process belongs to the
// tree of a tracker that began with a journal: the process is named there, or its parent
// is linked and lives, or it is an orphan in a group or session that the owner or a process
// of the journal has created.
func (k *Kernel) Linked(p *Process) bool {
	for depth := 0; p != nil && depth <= len(k.All); depth++ {
		if p == k.Owner() || p.known {
			return true
		}
		if p.parent == nil && (k.createdByKnown(p.pgid) || k.createdByKnown(p.sid)) {
			return true
		}
		p = p.parent
	}
	return false
}

func (k *Kernel) createdByKnown(id int) bool {
	creator := k.latest(id)
	return creator != nil && creator.Member && (creator == k.Owner() || creator.known)
}

// Beginning has each Lookup kept for the state until it is set to false: a tracker that
// begins makes several, and goes on by all of them.
func (k *Kernel) Beginning(begins bool) { k.begins, k.lookups = begins, nil }

func (k *Kernel) keep(row process.Row) {
	if k.begins {
		k.lookups = append(k.lookups, row)
	}
}
