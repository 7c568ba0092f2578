package monitor

import (
	"errors"

	"github.com/gemini-monitor/gemini/tracker/process"
	"github.com/gemini-monitor/gemini/tracker/trees"
)

// changeOf reads a letter of the changes of a village.
func changeOf(c rune) trees.Change {
	switch c {
	case 'E':
		return trees.Change{Kind: trees.Emptied}
	case 'U':
		return trees.Change{Kind: trees.Unreadable, Err: errors.New("no memory")}
	case 'R':
		return trees.Change{Kind: trees.Readable}
	}
	if c < 'E' {
		return trees.Change{Kind: trees.Joined, Member: bodyNo(int(c - 'A'))}
	}
	return trees.Change{Kind: trees.Left, Member: bodyNo(int(c - 'a'))}
}

// bodyNo is a process of a village as a member.
func bodyNo(i int) trees.Member {
	return trees.Member{Process: process.Process{Identity: process.Identity{PID: i + 1}}}
}

// check reads the table: what it settles is news too.
func (v village) check() []answer {
	switch {
	case v.blind:
		return []answer{{event{kind: unchecked, reason: "no memory"}, v}}
	case v.sees():
		return []answer{{event{kind: alive}, v}}
	}
	v.tell()
	return []answer{{event{kind: vacant}, v}}
}

// ask asks the lease. As the driver does, it reads the verdict again before it
// reports that the lease is free.
func (v village) ask() (answers []answer) {
	switch {
	case v.any(func(b body) bool { return b.holds }):
		answers = append(answers, answer{event{kind: held}, v})
	case v.blind || v.sees() || !v.told:
		answers = append(answers, answer{event{kind: unsettled}, v})
	default:
		answers = append(answers, answer{event{kind: free}, v})
	}
	if v.leaseFailures > 0 {
		v.leaseFailures--
		answers = append(answers, answer{event{kind: unasked, reason: "no locks"}, v})
	}
	return answers
}

func (v village) write(says statement) []answer {
	after := v
	after.says, after.idles = says, false
	return v.orFail(answer{event{kind: recorded}, after}, unrecorded)
}

func (v village) record(entries []trees.Change) []answer {
	after := v
	for _, e := range entries {
		if e.Kind == trees.Joined || e.Kind == trees.Left {
			after.bodies[e.Member.PID-1].noted = e.Kind == trees.Joined
		}
	}
	return v.orFail(answer{event{kind: journaled}, after}, unjournaled)
}

// orFail adds that a write fails.
func (v village) orFail(done answer, bad eventKind) []answer {
	if v.writeFailures == 0 {
		return []answer{done}
	}
	v.writeFailures--
	return []answer{done, {event{kind: bad, reason: "disk full"}, v}}
}

func (v village) remove() []answer {
	after := v
	after.gone = true
	answers := []answer{{event{kind: removed}, after}}
	if v.removeFailures > 0 {
		v.removeFailures--
		answers = append(answers, answer{event{kind: unremoved, reason: "device busy"}, v})
	}
	return answers
}

// rest writes the record of an idle runtime.
func (v village) rest() []answer {
	after := v
	after.idles, after.says = true, statement{state: StateIdle}
	return v.orFail(answer{event{kind: idled}, after}, unidled)
}

// resume loses the processes that the journal does not name, except the owner.
func (v village) resume() (world, []trees.Change) {
	var left []trees.Change
	v.unseen, v.told = "", false
	for i := range v.bodies {
		b := &v.bodies[i]
		b.seen = false
		switch {
		case b.lives() && (b.noted || i == 0):
			v.join(i)
		case b.noted:
			left = append(left, trees.Change{Kind: trees.Left, Member: bodyNo(i)})
		}
	}
	return v, left
}
