package kernel

import "github.com/gemini-monitor/gemini/tracker/process"

// Lose drops the messages of the proc connector that a function chooses, and says nothing
// of it, for a spec to see what the kernel does when it has no memory (docs/linux.md L40).
// The function is called with what happened, to which PID, and for a fork with the
// PID of the child. While there is one, no process gets a pidfd, which would make the loss of
// its exit good.
func (k *Kernel) Lose(chosen func(what process.Events, pid, child int) bool) {
	s := k.Source.(*connectorSource)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lose = chosen
}

// lost reports whether a message is one of those to drop. It is called with the lock
// held.
func (s *connectorSource) lost(e procEvent) bool {
	if s.lose == nil {
		return false
	}
	what := map[uint32]process.Events{procFork: process.Forked, procExec: process.Execed, procExit: process.Exited}[e.what]
	return what != 0 && s.lose(what, e.pid, e.child)
}
