package process

import "time"

// Started returns when the process was made, by the wall clock of now. It reports false
// where that cannot be known: for an identity of another boot or namespace, and for one
// without a start time, as /proc has it for a hidden process.
//
// On macOS a wall clock that was set since shifts the result.
func (id Identity) Started() (time.Time, bool) {
	here, err := Boot()
	if err != nil || id.Boot != here || id.Start <= 0 {
		return time.Time{}, false
	}
	return startedAt(id.Start)
}
