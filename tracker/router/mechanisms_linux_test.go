package router

import "github.com/gemini-monitor/gemini/tracker"

type way struct {
	mechanism tracker.Mechanism
	needs     []string
}

func mechanisms() []way {
	return []way{{tracker.ProcConnector, []string{"linux", "connector"}}, {tracker.Pidfd, []string{"linux"}}}
}
