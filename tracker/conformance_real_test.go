//go:build darwin || linux

package tracker

var _ = func() bool {
	for _, m := range ways {
		conformance(m.name, func() world { return newRealWorld(m.open) })
	}
	return true
}()
