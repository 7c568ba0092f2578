package kernel

import "github.com/gemini-monitor/gemini/internal/core"

// mechanisms are the sources of this system, the best one first.
var mechanisms = []mechanism{{"kqueue", func() (core.Source, error) { return newKqueueSource() }}}
