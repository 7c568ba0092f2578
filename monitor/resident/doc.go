// Package resident is the one monitor of a store: a process that watches all runtimes of
// it, and the way to it.
//
// A resident holds the lock of the store for as long as it lives, and answers at a socket
// in the store (docs/resident.md). [Client] asks it to watch a runtime. Where none
// answers, the client starts one; where that does not answer either, the runtime gets a
// monitor of its own. A [Guard] starts a resident anew that has died. The next one, whatever
// has started it, goes on with every runtime from its journal.
package resident
