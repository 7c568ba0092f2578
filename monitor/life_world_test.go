package monitor

import (
	"strings"

	"github.com/gemini-monitor/gemini/tracker/trees"
)

// A world is what a monitor meets: the processes of a runtime, the two
// witnesses, and a store that may refuse to be written. The exploration knows no
// more of it than this. A world is a value: its methods return the worlds that
// follow.
type world interface {
	// key is the same for the same world, and for no other.
	key() string
	// moves are the worlds that may follow without the monitor.
	moves() []world

	// news are the changes of the table that the monitor has not taken. take
	// takes them, and reports releases too.
	news() []trees.Change
	take() world
	// releases reports whether a lock was released, which takeRelease takes.
	releases() bool
	takeRelease() world

	// check and ask are what the witnesses may answer, each with the world
	// afterwards; the others are how a write may end.
	check() []answer
	ask() []answer
	write(says statement) []answer
	record(entries []trees.Change) []answer
	remove() []answer
	rest() []answer

	// resume makes the table show what the next monitor finds by the journal. It
	// returns the changes that no monitor saw.
	resume() (world, []trees.Change)

	// present reports whether a process lives that one of the witnesses shows.
	present() bool
	// newcomer is what a process from outside does that asks to become a member.
	newcomer() newcomerIn
	// deserted reports whether no process lives.
	deserted() bool
	// unreadable reports whether the table cannot be read.
	unreadable() bool
	// written is the statement in the record.
	written() statement
	removed() bool
	// idle reports whether the record has that the runtime is.
	idle() bool
}

// An answer is what comes of an act, and the world afterwards.
type answer struct {
	event
	world world
}

// A body is a process of a village.
type body struct {
	born, dead bool
	holds      bool // the lease
	seen       bool // by the table
	noted      bool // as a member, in the journal
	guest      guest
}

func (b body) lives() bool { return b.born && !b.dead }

// A village is a small world: up to three processes, each of which the table may
// see or lose, and a number of failures.
type village struct {
	bodies [3]body
	size   int
	unseen string // changes that the monitor has not taken: A joined, a left, E emptied, U and R
	told   bool   // the news that the table shows no member were sent
	blind  bool
	freed  bool // a lock was released, and that was not taken
	says   statement
	gone   bool
	idles  bool

	// guests is how many processes from outside may still come.
	guests int
	// How often things may still fail.
	writeFailures, removeFailures, leaseFailures, tableFailures int
}

// settle makes a village whose owner lives and holds the lease.
func settle(size int) village {
	v := village{size: size, says: statement{state: StateStarting}}
	v.bodies[0] = body{born: true, holds: true}
	return v
}

func (v village) key() string {
	var key strings.Builder
	bit := func(bits ...bool) {
		code := byte('0')
		for i, set := range bits {
			if set {
				code += 1 << i
			}
		}
		key.WriteByte(code)
	}
	for _, b := range v.bodies {
		bit(b.born, b.dead, b.holds, b.seen, b.noted)
		key.WriteByte('0' + byte(b.guest))
	}
	bit(v.told, v.blind, v.freed, v.gone, v.idles)
	for _, n := range []int{v.guests, v.writeFailures, v.removeFailures, v.leaseFailures, v.tableFailures} {
		key.WriteByte('0' + byte(n))
	}
	key.WriteString(v.unseen)
	key.WriteByte('|')
	key.WriteString(string(v.says.state))
	key.WriteString(v.says.reason)
	return key.String()
}

func (v village) moves() (next []world) {
	add := func(change func(v *village)) {
		after := v
		change(&after)
		next = append(next, after)
	}
	if v.gone || v.idles {
		return nil
	}
	for i, b := range v.bodies {
		if !b.lives() {
			continue
		}
		add(func(v *village) { v.exit(i) })
		if b.holds {
			add(func(v *village) { v.bodies[i].holds, v.freed = false, true })
		}
		if b.guest == asks {
			continue
		}
		if !b.seen && !v.blind {
			add(func(v *village) { v.join(i) })
		}
		if child := v.unborn(); child >= 0 {
			add(func(v *village) { v.fork(i, child, true) })
			if b.seen { // the table may lose it all the same
				add(func(v *village) { v.fork(i, child, false) })
			}
		}
	}
	if i := v.unborn(); i >= 0 && v.guests > 0 {
		add(func(v *village) { v.bodies[i], v.guests = body{born: true, holds: true, guest: asks}, v.guests-1 })
	}
	switch {
	case v.blind:
		add(func(v *village) { v.blind, v.unseen = false, v.unseen+"R" })
	case v.tableFailures > 0:
		add(func(v *village) { v.blind, v.unseen, v.tableFailures = true, v.unseen+"U", v.tableFailures-1 })
	}
	if !v.blind && !v.told && !v.sees() {
		add(func(v *village) { v.tell() })
	}
	return next
}

func (v *village) unborn() int {
	for i := range v.size {
		if !v.bodies[i].born {
			return i
		}
	}
	return -1
}

func (v *village) fork(parent, child int, noticed bool) {
	p := v.bodies[parent]
	v.bodies[child] = body{born: true, holds: p.holds}
	if noticed && p.seen {
		v.join(child)
	}
}

func (v *village) exit(i int) {
	b := &v.bodies[i]
	if b.seen {
		v.unseen += string(rune('a' + i))
	}
	v.freed = v.freed || b.holds
	b.dead, b.holds, b.seen = true, false, false
}

func (v *village) join(i int) {
	v.bodies[i].seen, v.told = true, false
	v.unseen += string(rune('A' + i))
}

func (v *village) tell() {
	if !v.told {
		v.told, v.unseen = true, v.unseen+"E"
	}
}

// sees reports whether the table shows a member.
func (v *village) sees() bool { return v.any(func(b body) bool { return b.seen }) }

func (v *village) any(is func(body) bool) bool {
	for _, b := range v.bodies {
		if b.lives() && is(b) {
			return true
		}
	}
	return false
}

func (v village) present() bool    { return v.any(func(b body) bool { return b.seen || b.holds }) }
func (v village) deserted() bool   { return !v.any(func(body) bool { return true }) }
func (v village) unreadable() bool { return v.blind }
func (v village) written() statement {
	return v.says
}
func (v village) removed() bool  { return v.gone }
func (v village) idle() bool     { return v.idles }
func (v village) releases() bool { return v.freed }

func (v village) takeRelease() world {
	v.freed = false
	return v
}

func (v village) take() world {
	v.unseen = ""
	return v
}

func (v village) news() (changes []trees.Change) {
	for _, c := range v.unseen {
		changes = append(changes, changeOf(c))
	}
	return changes
}
