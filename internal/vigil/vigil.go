// Package vigil reports changes of a directory as they happen.
package vigil

import (
	"fmt"
	"sync"
)

// A Change is what has happened to a directory: a set of the constants below. A kernel
// merges reports and loses some under pressure, so that a change means: look.
type Change uint

const (
	// Entry: an entry that counts may have been made, removed, renamed or replaced.
	Entry Change = 1 << iota
	// Written: the file that counts may have been written to.
	Written
	// Moved: the directory was moved or renamed. The vigil is on the directory and not on
	// its path, and goes on.
	Moved
	// Removed: the directory was removed, or its file system was unmounted.
	Removed
)

// A Subject is what a vigil is kept on.
type Subject struct {
	// Dir is the path of the directory.
	Dir string
	// Entries are the names that count. macOS reports changes of entries without their
	// names: there every entry counts.
	Entries []string
	// File, if it is set, is the name of an entry that is there. Writes to it count.
	File string
}

// A Vigil reports the changes of one directory. It holds an inotify instance, or a kqueue
// with a descriptor for each file, and one goroutine.
type Vigil struct {
	source *source
	going  sync.WaitGroup
}

// Keep calls report for each change of the subject until the vigil is closed, in a goroutine
// of the vigil. It fails where the directory does not exist, and where no watch is left:
// the limits are those on descriptors and on inotify instances (docs/linux.md L20).
func Keep(s Subject, report func(Change)) (*Vigil, error) {
	source, err := newSource(s)
	if err != nil {
		return nil, fmt.Errorf("watch the directory %s: %w", s.Dir, err)
	}
	v := &Vigil{source: source}
	v.going.Go(func() {
		for {
			change, err := source.next()
			if err != nil {
				return
			}
			if change != 0 {
				report(change)
			}
		}
	})
	return v, nil
}

// Close ends the reports: after Close none is made. The nil Vigil has none.
func (v *Vigil) Close() {
	if v == nil {
		return
	}
	v.source.stop()
	v.going.Wait()
	v.source.close()
}
