package monitor

import "os"

// Unswept returns how many directories [Store.Sweep] would delete or try to: those in the
// trash, and of runtimes that were being made by a process that has died. It changes nothing.
func (s *Store) Unswept() (n int) {
	trash, _ := os.ReadDir(s.trash())
	n = len(trash)
	staged, _ := os.ReadDir(s.runtimes())
	for _, e := range staged {
		if maker, machine, ok := makerOf(e.Name()); ok && !mayLive(maker, machine) {
			n++
		}
	}
	return n
}
