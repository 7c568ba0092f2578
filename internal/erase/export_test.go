//go:build darwin || linux

package erase

import "path/filepath"

// Unlooked is All without its look at the mount points: as for one that appears later.
func Unlooked(dir string) error { return unlooked(filepath.Dir(dir), filepath.Base(dir)) }
