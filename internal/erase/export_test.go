//go:build darwin || linux

package erase

// Unlooked is All without its look at the mount points: as for one that appears later.
func Unlooked(dir string) error { return unlooked(dir) }
