// Package process names processes and reads the process table of macOS and Linux.
//
// An [Identity] names one process for good, where a PID is used again. [Lookup],
// [Table], [Parent], [Ancestors] and [IsDescendant] return what the kernel's table
// shows at this moment. [Identity.Signal] signals that very process or none.
// [Events] and [Forks] are the words for what a kernel announces of a process.
//
// The package needs no root, entitlement, cgo or libproc. It has no trees: package
// tracker follows those. On systems other than macOS and Linux every
// question is answered with [errors.ErrUnsupported].
package process
