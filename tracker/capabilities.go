package tracker

import "github.com/gemini-monitor/gemini/tracker/process"

// Capabilities say by which means a [Tracker] follows trees, and what it can
// miss.
type Capabilities struct {
	// Mechanism is what announces things: "kqueue", "proc connector" or
	// "pidfd".
	Mechanism string `json:"mechanism"`
	// Forks is what it says of forks.
	Forks process.Forks `json:"forks"`
	// Lineage tells that the kernel remembers who made an orphan (macOS,
	// proc_info flavour 17).
	Lineage bool `json:"lineage"`
	// Misses says in one sentence who can be lost although the tracker runs
	// and keeps up. It is empty where nobody can.
	Misses string `json:"misses,omitempty"`
}

func capabilitiesOf(forks process.Forks, lineage bool) Capabilities {
	c := Capabilities{Forks: forks, Lineage: lineage}
	switch {
	case forks == process.ForksNamed:
		c.Mechanism = "proc connector"
	case forks == process.ForksUnseen:
		c.Mechanism = "pidfd"
		c.Misses = "whoever is made and orphaned between two reads of the table, up to 250 ms apart, and leaves the groups and sessions of the tree"
	case lineage:
		c.Mechanism = "kqueue"
		c.Misses = "an orphan whose parent was made and gone between two reads of the table, or who has run another program before the first of them, and who leaves the groups and sessions of the tree"
	default:
		c.Mechanism = "kqueue"
		c.Misses = "whoever is orphaned before the first read of the table after the fork, and leaves the groups and sessions of the tree"
	}
	return c
}
