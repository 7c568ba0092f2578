package resident

import (
	"fmt"
	"sync"
)

// A vigil reports changes of the files that a resident is found by, as they happen. Without
// one a resident looks for them only when a runtime ends or a request comes.
type vigil struct {
	source *dirSource
	going  sync.WaitGroup
}

// keepVigil calls changed when the socket or the lock in a store's directory may have been
// removed, replaced or moved, until the vigil is closed. The directory itself may be moved:
// that is not reported, and later changes in it are.
func keepVigil(dir string, changed func()) (*vigil, error) {
	source, err := watchDir(dir)
	if err != nil {
		return nil, fmt.Errorf("watch the directory of the store: %w", err)
	}
	v := &vigil{source: source}
	v.going.Go(func() {
		for {
			concerned, err := source.next()
			if err != nil {
				return
			}
			if concerned {
				changed()
			}
		}
	})
	return v, nil
}

// close ends the reports. The nil vigil has none.
func (v *vigil) close() {
	if v == nil {
		return
	}
	v.source.stop()
	v.going.Wait()
	v.source.close()
}
