package resident

import "github.com/gemini-monitor/gemini/internal/vigil"

// keepVigil calls changed when the socket or the lock in a store's directory may have been
// removed, replaced or moved, until the vigil is closed. The directory itself may be moved:
// that is not reported, and later changes in it are. Without a vigil a resident looks for
// its files only when a runtime ends or a request comes.
func keepVigil(dir string, changed func()) (*vigil.Vigil, error) {
	return vigil.Keep(vigil.Subject{Dir: dir, Entries: []string{socketFile, lockFile}}, func(c vigil.Change) {
		if c != vigil.Moved {
			changed()
		}
	})
}
