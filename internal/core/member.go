package core

import (
	"time"

	"github.com/gemini-monitor/gemini/tracker/process"
	"github.com/gemini-monitor/gemini/tracker/trees"
)

// A member is what the core keeps of a process that belongs to a tree, or did. A dead
// one stays as long as a process can still be linked to it.
type member struct {
	trees.Member
	lineage process.Lineage
	tree    *Tree   // the nearest one
	at      int     // the place in the list of its tree
	via     *member // the member it joined through, nil for a root
	loose   bool    // that is no proof that it descends from via; see release.go
	origin  *Tree   // of a released one: the nearest tree before that

	hidden  bool      // no row of it was read: its start time is not known
	missed  bool      // found dead once on a partial table, with notices perhaps to come
	watched bool      // a notice of its exit will come
	exited  bool      // that notice came
	dead    bool      // established: a former member
	buried  int       // the number of the read that established it
	left    time.Time // when it was established
	reserve bool      // dead, and links processes only after a loss of notices
	ended   bool      // the last read that showed it, or not, showed it dead before its exit was announced
	marks   []string  // by which it joined
	needed  int       // the number of the last read in which a row named it after its death
}

func (m *member) alive() bool { return !m.dead }

// leaving counts the member if its exit was announced and its death is not
// established.
func (m *member) leaving() int {
	if m.exited && m.alive() {
		return 1
	}
	return 0
}

// descends reports whether m is a or joined, over however many others,
// through a.
func (m *member) descends(a *member) bool {
	for ; m != nil; m = m.via {
		if m == a {
			return true
		}
	}
	return false
}

// shorten drops the dead between m and its nearest live ancestor, so that a long line
// of short lives does not keep all of them in memory. Only a live member can become
// the root of a tree.
func (m *member) shorten() {
	for m.via != nil && m.via.via != nil {
		via := m.via
		for via.via != nil && via.via.dead {
			via.loose = via.loose || via.via.loose
			via.via = via.via.via
		}
		if !via.dead {
			return
		}
		m.loose = m.loose || via.loose
		m.via = via.via
	}
}

// A Tree is a process and all that descends from it, as the core knows it.
type Tree struct {
	root     process.Identity
	anchor   *member   // the root as a member, also when long forgotten; may be nil
	own      []*member // what is known of its members, those of inner trees left out; see own.go
	outer    *Tree     // the next tree that contains this one
	living   int       // live members, those of inner trees included
	leaving  int       // of these, those whose exit was announced
	urgent   int       // reads in a row after which it was vacant
	reads    int       // whole reads since it began
	news     bool      // something happened to it since the last read began
	clean    int       // reads in a row that brought nothing new
	emptied  bool      // found empty when settled
	told     bool      // found empty at some time, and no process has joined since
	unsure   bool      // a process may have been made of which no notice came
	doubted  bool      // told that a partial table does not show it empty
	closed   bool      // not followed any more
	fresh    bool      // its root has made no member before the first read
	waits    bool      // and makes none before the tree has begun
	begun    bool      // see Begun
	again    bool      // it was followed before
	logging  bool
	from     *Tree    // the tree from which its processes were released, nil for any other
	released *Tree    // has the processes that were released from this one; may be nil
	carried  []string // the marks that its processes carry: those of trees around it, then its own
	log      []trees.Change

	face              *face   // for those without the lock
	agenda            *agenda // of the core
	touched, restless bool    // in the lists there
}

// within reports whether t is o or lies inside it.
func (t *Tree) within(o *Tree) bool {
	for ; t != nil; t = t.outer {
		if t == o {
			return true
		}
	}
	return false
}

// record appends a change to the log of the tree.
func (t *Tree) record(c trees.Change) {
	if t.from != nil {
		if c.Kind = kindReleased[c.Kind]; c.Kind == "" {
			return
		}
		t = t.from
	}
	if t.logging {
		t.log = append(t.log, c)
		t.touch()
	}
}

// recordOutward appends a change to the logs of the tree and of all around it.
func (t *Tree) recordOutward(c trees.Change) {
	for ; t != nil; t = t.outer {
		t.record(c)
	}
}

// count adds to the numbers of live and of leaving members of the tree and of all
// around it. Either may be negative.
func (t *Tree) count(living, leaving int) {
	for ; t != nil; t = t.outer {
		t.living += living
		t.leaving += leaving
		t.emptied, t.told = t.emptied && t.living == 0, t.told && t.living == 0
		if t.touch(); t.vacant() {
			t.rouse()
		}
	}
}

// stir makes the tree and all around it unsettled.
func (t *Tree) stir() {
	for ; t != nil; t = t.outer {
		t.unsettle()
	}
}

// unsettle has the table read until that brings nothing new for the tree.
func (t *Tree) unsettle() {
	t.news, t.clean = true, 0
	t.rouse()
}

// vacant reports whether the tree waits only to be found empty.
func (t *Tree) vacant() bool { return t.living == t.leaving && !t.emptied }
