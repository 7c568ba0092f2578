//go:build darwin || linux

package standin

import (
	"os"
	"os/signal"
	"slices"
	"syscall"
)

// An ear hears the signals that this process gets, in place of their actions. There is one in
// a process.
type ear struct {
	notices chan notice
	plain   chan os.Signal // without the sender
	// ignored are the signals that this process ignored when it was started.
	ignored []syscall.Signal
}

func newEar() *ear {
	return &ear{notices: make(chan notice), plain: make(chan os.Signal, 64)}
}

// ofJobs are the signals that stop and continue. Go's runtime leaves them as they were when
// this process was started until they are heard, and does not keep how that was.
var ofJobs = []syscall.Signal{syscall.SIGCONT, syscall.SIGTSTP, syscall.SIGTTIN, syscall.SIGTTOU}

// begin makes those signals heard that would end this process. It is called before the child
// is made, so that one which has heard of the child's start cannot end this process. Those of
// jobs follow later, because the child is to ignore what this process ignores.
func (e *ear) begin() {
	ends := slices.DeleteFunc(slices.Clone(passed), func(s syscall.Signal) bool {
		return signal.Ignored(s) || slices.Contains(ofJobs, s)
	})
	e.take(ends)
	go func() {
		for s := range e.plain {
			e.notices <- notice{signal: s.(syscall.Signal)}
		}
	}()
}

// all makes the other signals heard too, also those that this process ignores: the child may
// want them. It is called when the child is there, and this process ignores what it ignored
// when it was started.
func (e *ear) all() {
	e.ignored = slices.DeleteFunc(slices.Clone(passed), func(s syscall.Signal) bool { return !ignores(s) })
	e.take(passed)
	// The kernel keeps no status of a child for a parent that ignores this one (docs/linux.md
	// L84).
	signal.Notify(make(chan os.Signal, 1), syscall.SIGCHLD)
}

// take makes signals heard, by Go's runtime where the sender is not told. In a forked
// child they have their default actions again: Go's runtime sees to that for those that it
// handles, which are all of begin.
func (e *ear) take(signals []syscall.Signal) {
	if askForSenders(signals, e.notices) {
		return
	}
	for _, s := range signals {
		signal.Notify(e.plain, s)
	}
}
