package simkernel

import "github.com/gemini-monitor/gemini/tracker/process"

// A guest is a process from outside that asks to join the tree. It belongs to the tree from
// the answer on, with all that it has made since it asked.

// Asking returns the process that waits for the answer and was not considered since the last
// step of the tracker, or nil.
func (k *Kernel) Asking() *Process {
	for _, p := range k.All {
		if p.Asks && !p.Considered {
			return p
		}
	}
	return nil
}

// Reconsider has the tracker consider those that wait for an answer again.
func (k *Kernel) Reconsider() {
	for _, p := range k.All {
		p.Considered = false
	}
}

// Before returns what a guest has made before it asked: its children, and those in a group or
// session of its making.
func (k *Kernel) Before(guest *Process) (ids []process.Identity) {
	for _, p := range k.Listed {
		if p != guest && !p.Guest && p.Alive() && (p.mother == guest || p.pgid == guest.PID || p.sid == guest.PID) {
			ids = append(ids, p.Identity())
		}
	}
	return ids
}

// Answer tells a guest whether it belongs to the tree. One that was refused closes the
// lease, with all that it has made since it asked.
func (k *Kernel) Answer(guest *Process, admitted bool) {
	k.Story("%s has joined: %v", guest, admitted)
	guest.Asks, guest.known = false, admitted
	for _, p := range k.All {
		switch {
		case !p.Guest || p.Member:
		case admitted:
			p.Member = true
		default:
			p.Guest, p.Lease = false, false
		}
	}
}
