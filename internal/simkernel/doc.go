// Package simkernel is a kernel in memory: processes that do small programs, and the
// system calls that a tracker makes. Nothing in it happens by itself.
package simkernel
