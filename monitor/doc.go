// Package monitor keeps runtimes: named records, each with a directory, that
// live exactly as long as any process of them lives.
//
// A runtime begins with its owner, the process that runs the command, and
// all that descends from it belongs to it. Its monitor follows them with package
// tracker and removes the runtime when two witnesses agree that none is left: the
// process table, and the lease, a lock on an open file that every process of the
// runtime inherits. Where the witnesses disagree, or one cannot be asked, the
// runtime stays. A durable runtime becomes idle in place of that: it is run again by its name,
// and removed by [Runtime.RemoveIdle].
//
// There are three acts. [Store.Create] makes a runtime, for any owner.
// [Runtime.Attach] and [Watching.Run] watch it, in any process outside of it: one
// process may watch many, and then [Watching.Advance] spares a goroutine for each.
// [Store.Run] turns the owner into the command, once another process watches, which a
// [Keeper] sees to: package resident has the one of the command. What a monitor does is
// decided by a state machine, which docs/life.md draws.
package monitor
