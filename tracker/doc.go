// Package tracker knows which processes of a tree are alive.
//
// A tree is a process, its root, and everything that descends from it. The
// package follows trees on macOS with kqueue and sysctl kern.proc, on Linux
// with the proc connector, or pidfds where it is refused, and /proc. It needs no
// root, entitlement, cgo or libproc. [Tracker.Capabilities] tells what is in use.
//
// [Lookup], [Table], [Parent], [Ancestors] and [IsDescendant] answer questions
// about this moment. A [Watcher] delivers exits, forks and execs of chosen
// PIDs. A [Tracker] puts both together: it follows a [Tree] through forks,
// orphans and sessions, says who its members are and why each one counts, and
// says when the last of them has gone.
//
// Unknown is never empty: whatever the tracker cannot read or has not settled
// is reported as [Unknown], and no error turns into an empty tree.
package tracker
