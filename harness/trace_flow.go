//go:build darwin || linux

package harness

import "time"

// A span is the life of a process, as one track has it.
type span struct {
	key      trackKey
	from, to time.Time
	parent   int
}

// lived adds a life as a slice.
func (t *trace) lived(s span, what string) {
	t.slice(s.key, "alive", s.from, s.to, what)
	t.lives = append(t.lives, s)
}

// arrows adds an arrow from each parent to its child. An arrow must begin in a slice of
// the parent. If the child's first event comes after the parent's end, the arrow begins
// just before that end.
func (t *trace) arrows() {
	byPID := map[int]span{} // several tracks may have a PID; the earliest life is taken
	for _, s := range t.lives {
		if known, ok := byPID[s.key.pid]; !ok || s.from.Before(known.from) {
			byPID[s.key.pid] = s
		}
	}
	for i, child := range t.lives {
		parent, known := byPID[child.parent]
		if !known || child.key != byPID[child.key.pid].key {
			continue
		}
		at := child.from
		if !at.Before(parent.to) {
			at = parent.to.Add(-time.Microsecond)
		}
		if at.Before(parent.from) { // another process with the parent's PID
			continue
		}
		t.events = append(t.events,
			traceEvent{Name: "child", Category: "child", Phase: "s", ID: i + 1, TS: t.micros(at), PID: t.pid(parent.key), TID: t.tid(parent.key)},
			traceEvent{Name: "child", Category: "child", Phase: "f", ID: i + 1, TS: t.micros(child.from), PID: t.pid(child.key), TID: t.tid(child.key), Enclosing: "e"})
	}
}
