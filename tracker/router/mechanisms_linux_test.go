package router

import "github.com/gemini-monitor/gemini/tracker"

type way struct {
	mechanism tracker.Mechanism
	needs     []string
}

func mechanisms() []way {
	return []way{{tracker.ProcConnector, []string{"linux", "connector"}}, {tracker.Pidfd, []string{"linux"}}}
}

// parts are what this test binary plays as a process of a spec.
var parts = map[string]func(){"threaded": threaded}
