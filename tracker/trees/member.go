package trees

import (
	"fmt"
	"time"

	"github.com/gemini-monitor/gemini/tracker/process"
)

// A Member is a live process of a tree.
type Member struct {
	process.Process
	// Link is the evidence by which it joined.
	Link Link `json:"link"`
	// Joined is when the tracker found it.
	Joined time.Time `json:"joined"`
}

// A Link is the evidence that a process belongs to a tree.
type Link struct {
	Kind LinkKind `json:"kind"`
	// Through is the member, or former member, that the evidence leads to. It
	// is the zero Identity for [LinkRoot], [LinkKnown] and [LinkJoin], and the root for
	// [LinkMark].
	Through process.Identity `json:"through,omitzero"`
}

// String returns the link as the end of a sentence, like "child of 4711".
func (l Link) String() string {
	switch l.Kind {
	case LinkRoot:
		return "the root"
	case LinkKnown:
		return "known from before"
	case LinkJoin:
		return "joined from outside"
	case LinkLineage:
		return fmt.Sprintf("orphan that %d made", l.Through.PID)
	case LinkMark:
		return "orphan with the mark in its environment"
	case LinkParent:
		return fmt.Sprintf("child of %d", l.Through.PID)
	}
	return fmt.Sprintf("orphan in the %s of %d", l.Kind, l.Through.PID)
}

// A LinkKind is a kind of evidence.
type LinkKind string

const (
	// LinkRoot: the process is the root of the tree.
	LinkRoot LinkKind = "root"
	// LinkKnown: the caller of the tracker's Resume named it.
	LinkKnown LinkKind = "known"
	// LinkParent: its parent is a member.
	LinkParent LinkKind = "parent"
	// LinkLineage: it is an orphan that a member made, as the kernel remembers
	// (macOS).
	LinkLineage LinkKind = "lineage"
	// LinkGroup: it is an orphan in a process group that a member created.
	LinkGroup LinkKind = "group"
	// LinkSession: it is an orphan in a session that a member created.
	LinkSession LinkKind = "session"
	// LinkMark: it is an orphan that no other link leads to the tree, and its environment
	// has the mark of the tree.
	LinkMark LinkKind = "mark"
	// LinkJoin: it came from outside. The caller of the tracker named it.
	LinkJoin LinkKind = "join"
)

// Proves reports whether the evidence proves that a process descends from the one that the
// link leads to. A process group can have others than descendants of its creator, a session
// cannot.
func (k LinkKind) Proves() bool { return k == LinkParent || k == LinkLineage || k == LinkSession }
