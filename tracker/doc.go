// Package tracker follows trees of processes: it knows which of them are alive.
//
// A tree is a process, its root, and everything that descends from it. The
// package follows trees on macOS with kqueue and sysctl kern.proc, on Linux
// with the proc connector, or pidfds where it is refused, and /proc. It needs no
// root, entitlement, cgo or libproc. [Tracker.Capabilities] returns what is in use.
//
// A [Tracker] follows a [Tree] through forks, orphans and sessions: which processes
// are its members, why each one counts, and when the last of them has gone.
// A [Watcher] delivers exits, forks and execs of chosen PIDs. Package
// tracker/process answers questions about single processes at this moment, package
// tracker/trees has the values in which a tree is described.
//
// Unknown is never empty: whatever the tracker cannot read or has not settled
// is reported as [trees.Unknown], and no error turns into an empty tree.
package tracker
