//go:build !darwin

package tracker

// hasLineage is about something that only XNU keeps.
func hasLineage() bool { return false }

func askLineage(int) (lineage, bool) { return lineage{}, false }
