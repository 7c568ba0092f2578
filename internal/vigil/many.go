package vigil

import (
	"fmt"
	"sync"
)

// A Many reports the changes of many files and directories. It holds one inotify instance,
// or one kqueue with a descriptor for each path, and one goroutine.
type Many struct {
	source *manySource
	going  sync.WaitGroup
}

// All is reported in place of a path where the kernel has lost events: every path may have
// changed.
const All = ""

// KeepMany calls report with a path of [Many.Add] for each change there, until the vigil is
// closed, in a goroutine of the vigil. report must not block.
func KeepMany(report func(path string, c Change)) (*Many, error) {
	source, err := newManySource()
	if err != nil {
		return nil, fmt.Errorf("watch many files: %w", err)
	}
	m := &Many{source: source}
	m.going.Go(func() {
		for m.source.next(report) == nil {
		}
	})
	return m, nil
}

// Add watches a directory for changes of its entries, or another file for writes. Both are
// reported as Removed when they have lost a name, and a file may then still be written to by
// a process that has it open. A path that is added again is what it leads to now.
func (m *Many) Add(path string) error {
	if err := m.source.add(path); err != nil {
		return fmt.Errorf("watch %s: %w", path, err)
	}
	return nil
}

// Drop ends the watch of a path.
func (m *Many) Drop(path string) { m.source.drop(path) }

// Close ends the reports: after Close none is made. The nil Many has none.
func (m *Many) Close() {
	if m == nil {
		return
	}
	m.source.stop()
	m.going.Wait()
	m.source.close()
}
