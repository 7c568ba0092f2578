package conformance

import (
	"slices"
	"strings"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/tracker/process"
)

// The numbers are those of the guarantees that XNU's source gives: G1 to G14,
// and of the races that it leaves: R1 to R21.
var facts = slices.Concat(exitFacts, forkFacts, tableFacts, markFacts)

const (
	pidfdZombie = "Linux gives a pidfd for a zombie too; it announces the exit at once"
	pidfdForks  = "pidfds announce exits only"
)

// after returns what was announced of a process after an event.
func (s *stage) after(pid int, event process.Events) (later process.Events) {
	seen := false
	for _, n := range s.noticed {
		if n.PID != pid {
			continue
		}
		if seen {
			later |= n.Events
		}
		seen = seen || n.Events.Has(event)
	}
	return later
}

// another makes another process with the PID of one that has gone.
func (s *stage) another(pid int) (exit func()) {
	ginkgo.GinkgoHelper()
	exit = s.tryReuse(pid)
	gomega.Expect(exit).NotTo(gomega.BeNil(), "PID %d is still in use", pid)
	return exit
}

func (s *stage) tryReuse(pid int) func() {
	ginkgo.GinkgoHelper()
	exit, err := s.Reuse(pid)
	if err != nil {
		ginkgo.Skip("PIDs cannot be re-used here: " + strings.TrimSpace(err.Error()))
	}
	return exit
}
