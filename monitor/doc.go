// Package monitor keeps runtimes: named records, each with a directory, that
// live exactly as long as any process of them lives.
//
// A runtime begins with its owner, the process that runs the command, and
// belongs to all that descends from it. One other process, its monitor, follows
// them with package tracker and removes the runtime when two witnesses agree
// that nobody is left: the process table, and the lease, a lock on an open file
// that every process of the runtime inherits. Where the witnesses disagree, or
// one cannot be asked, the runtime stays.
package monitor
