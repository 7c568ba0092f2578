//go:build darwin || linux

package standin

import (
	"slices"
	"syscall"
	"time"
)

// A sender is what a signal comes from.
type sender uint8

const (
	unknown    sender = iota // the system does not say
	theKernel                // the terminal, or a timer or limit of this process
	anyProcess               // kill(2) and the like
	theChild                 // the same, by the child or what descends from it
)

// A notice is a signal that this process has got.
type notice struct {
	signal syscall.Signal
	from   sender
	pid    int // of the process that has sent it, 0 where that is not known
}

// A deed is what follows from a notice.
type deed uint8

const (
	nothing  deed = iota
	passOn        // send the signal to the child
	goOn          // continue the child, if it is stopped
	stopHere      // this process stops
	endHere       // this process ends by the signal
)

// own are the signals of a limit, which the kernel sends to the process that has reached it.
var own = []syscall.Signal{syscall.SIGXCPU, syscall.SIGXFSZ}

// whileItLives decides while the child lives. foreground says whether the group of this
// process has the terminal; it counts only where the sender is unknown.
//
// The terminal sends its signals to the whole group, so the child has them already, and what
// the child sends to its group it has sent to itself. Another process may have sent a signal
// to the group too: that cannot be told from one to this process, and the child gets it twice.
func whileItLives(n notice, foreground bool) deed {
	switch {
	case n.signal == syscall.SIGCONT:
		return goOn // a continued group includes the child
	case n.from == theChild:
		return nothing
	case n.from == anyProcess:
		return passOn
	case n.signal == syscall.SIGTTIN, n.signal == syscall.SIGTTOU:
		return nothing
	case n.from == theKernel:
		if slices.Contains(ofTerminal, n.signal) || slices.Contains(own, n.signal) {
			return nothing
		}
		return passOn // SIGALRM of a timer that was set before exec, for instance
	case n.signal == syscall.SIGHUP:
		return passOn // a terminal that was hung up has no foreground group any more
	case foreground && slices.Contains(ofTerminal, n.signal):
		return nothing
	}
	return passOn
}

// echoTime is for how long after the child's death the same signal is taken for the one that
// it died of. Sent to the whole group, by ^C for instance, it has reached this process too,
// which may read of the death first.
const echoTime = 100 * time.Millisecond

// isEcho reports whether a signal is the one that the child died of.
func isEcho(s, death syscall.Signal, since time.Duration) bool { return s == death && since < echoTime }

// afterItsEnd decides when the child has ended. ignored says whether this process ignored the
// signal when it was started, as under nohup.
func afterItsEnd(n notice, ignored bool) deed {
	switch n.signal {
	case syscall.SIGTSTP:
		if !ignored {
			return stopHere
		}
	case syscall.SIGCONT, syscall.SIGTTIN, syscall.SIGTTOU:
	default:
		if !ignored && !slices.Contains(harmless, n.signal) {
			return endHere
		}
	}
	return nothing
}

// followsStop reports whether this process stops when its child has stopped: where it has a
// terminal, and its parent, which would see that, is in the same session. Without those, what
// continues the child would not continue this process.
func followsStop(terminal bool, session, parentsSession int) bool {
	return terminal && session == parentsSession
}
