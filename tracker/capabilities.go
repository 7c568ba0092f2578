package tracker

import (
	"time"

	"github.com/gemini-monitor/gemini/tracker/process"
)

// Capabilities are the means by which a [Tracker] follows trees, and what it can
// miss.
type Capabilities struct {
	// Mechanism is what announces the fates of processes.
	Mechanism Mechanism `json:"mechanism"`
	// Forks is what it announces of forks.
	Forks process.Forks `json:"forks"`
	// Lineage means that the kernel remembers which process made an orphan (macOS,
	// proc_info flavour 17).
	Lineage bool `json:"lineage"`
	// Misses describes the processes that can be lost although the tracker runs and
	// keeps up. It is empty where none can, which is on no system today.
	Misses string `json:"misses,omitempty"`
	// Refused is why a better mechanism is not in use. It is empty where the best one
	// is, and where [Options] chose the mechanism.
	Refused string `json:"refused,omitempty"`
}

// Reads returns how often the tracker has read the process table so far, and the processor
// time that this took.
func (t *Tracker) Reads() (n int, cost time.Duration) { return t.follower.Reads() }

func capabilitiesOf(forks process.Forks, lineage bool) Capabilities {
	c := Capabilities{Forks: forks, Lineage: lineage}
	switch {
	case forks == process.ForksNamed:
		c.Mechanism = ProcConnector
		c.Misses = "a process whose fork the kernel does not report because it has no memory for the message, and that is orphaned and leaves the groups and sessions of the tree before the table is read again: when the tree seems empty, or after 5 minutes; an exit that is not reported for that reason is noticed then"
	case forks == process.ForksUnseen:
		c.Mechanism = Pidfd
		c.Misses = "a process that is made and orphaned between two reads of the table, up to 250 ms apart, leaves the groups and sessions of the tree, and has no readable mark in its environment"
	case lineage:
		c.Mechanism = Kqueue
		c.Misses = "an orphan whose parent was made and gone between two reads of the table, or that has run another program before the first of them, and that leaves the groups and sessions of the tree and has no readable mark in its environment"
	default:
		c.Mechanism = Kqueue
		c.Misses = "a process that is orphaned before the first read of the table after the fork, leaves the groups and sessions of the tree, and has no readable mark in its environment"
	}
	return c
}
