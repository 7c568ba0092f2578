//go:build !darwin

package kernel

import "github.com/gemini-monitor/gemini/tracker/process"

// hasLineage returns false: only XNU keeps lineages.
func hasLineage() bool { return false }

func askLineage(int) (process.Lineage, bool) { return process.Lineage{}, false }
