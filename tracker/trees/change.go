package trees

import "time"

// A Change is something that happened to a tree.
type Change struct {
	Kind   ChangeKind
	Time   time.Time
	Member Member // the process that joined or left
	Err    error  // why nothing is established
}

// A ChangeKind is what happened.
type ChangeKind string

const (
	// Joined: the process is a member now.
	Joined ChangeKind = "joined"
	// Left: the member is dead.
	Left ChangeKind = "left"
	// Released: the process does not count any more, or it descends from one that does not.
	// A member that is released does not leave as well.
	Released ChangeKind = "released"
	// Ended: a process that does not count any more is dead.
	Ended ChangeKind = "ended"
	// Emptied: no member is left, and that is settled. Nothing follows it, unless a
	// process that had been missed turns up after all.
	Emptied ChangeKind = "emptied"
	// Unreadable: the table cannot be read, or lists no member and hides processes, so
	// that nothing is established until Readable follows.
	Unreadable ChangeKind = "unreadable"
	// Readable: the table can be read again.
	Readable ChangeKind = "readable"
)
