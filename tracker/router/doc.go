// Package router answers the question of a file system that shows each process tree its
// own content: whose tree is the process in that makes this call?
//
// A [Router] maps processes to what the caller has registered for their trees. It follows
// these by a [tracker.Tracker], whose promises hold: an orphan belongs where its dead parent
// did, and an identity is never a bare PID. docs/router.md has what a look-up costs.
package router
