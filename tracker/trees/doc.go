// Package trees has the values in which a tracker describes a tree of processes:
// its members, the links by which they joined, its changes, and the verdict on it.
//
// It has no system call, goroutine or clock. What decides from these values can
// be tested without a kernel.
package trees
