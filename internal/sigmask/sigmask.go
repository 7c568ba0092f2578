//go:build darwin || linux

// Package sigmask reads and sets the signals that the calling thread blocks. The caller
// has locked its goroutine to the thread.
package sigmask

// A Mask is a set of blocked signals, as the kernel has it: signal N is bit N-1.
type Mask uint64

// Get returns the mask of the calling thread.
func Get() (Mask, error) { return change(keep, 0) }

// Set replaces the mask of the calling thread and returns what it was.
func Set(m Mask) (before Mask, err error) { return change(replace, m) }
