package simkernel

import "github.com/gemini-monitor/gemini/internal/conformance"

var _ conformance.World = (*World)(nil)

var _ = func() bool {
	for _, flavour := range Flavours {
		conformance.Specs("the simulated kernel where forks are "+flavour.String(), func() conformance.World { return NewWorld(flavour) })
	}
	return true
}()
