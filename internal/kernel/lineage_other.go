//go:build !darwin

package kernel

import "github.com/gemini-monitor/gemini/tracker/process"

// hasLineage is about something that only XNU keeps.
func hasLineage() bool { return false }

func askLineage(int) (process.Lineage, bool) { return process.Lineage{}, false }
