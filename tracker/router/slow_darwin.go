package router

import "time"

// unlessSlow returns what one function returns, or where that takes longer than the
// patience, what another returns. XNU lets a look-up wait while the process forks, execs or
// exits (docs/xnu.md, X19), and the exec may wait for the answer of this look-up.
func unlessSlow[T any](find, otherwise func() T) T {
	found := make(chan T, 1)
	go func() { found <- find() }()
	limit := time.NewTimer(patience)
	defer limit.Stop()
	select {
	case one := <-found:
		return one
	case <-limit.C:
		return otherwise()
	}
}
