//go:build darwin || linux

package kernel

import (
	"github.com/gemini-monitor/gemini/internal/conformance"
	"github.com/gemini-monitor/gemini/internal/core"
	"github.com/gemini-monitor/gemini/internal/testproc"
)

var _ = func() bool {
	for _, m := range Ways() {
		conformance.Specs(m.Name, func() conformance.World {
			return testproc.NewWorld(func() core.Kernel { return testproc.Opened(m.Open()) })
		}, m.Needs...)
	}
	return true
}()
