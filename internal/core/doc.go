// Package core decides which processes belong to which tree. It is pure: what reads the
// process table and waits for notices implements [Kernel], and a [Follower] drives the
// core on it.
package core
