package mount

import "strings"

// A FileSystem is a mounted one.
type FileSystem struct {
	// Kind is its type: ext4, apfs, nfs4.
	Kind string
	// Point is where it is mounted.
	Point string
	// Remote is set where it is another machine's, or a program's (FUSE).
	Remote bool
}

// deepest returns the file system of a path without links: the last one of those that are
// mounted deepest, for a later mount covers an earlier one.
func deepest(path string, mounted []FileSystem) (found FileSystem) {
	for _, m := range mounted {
		within := path == m.Point || strings.HasPrefix(path, strings.TrimSuffix(m.Point, "/")+"/")
		if within && len(m.Point) >= len(found.Point) {
			found = m
		}
	}
	return found
}
