//go:build darwin || linux

package tracker

var _ = func() bool {
	for _, m := range mechanisms {
		conformance(m.name, func() world { return newRealWorld(m.open) }, m.needs...)
	}
	return true
}()
