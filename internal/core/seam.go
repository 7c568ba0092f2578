package core

import (
	"time"

	"github.com/gemini-monitor/gemini/tracker/process"
)

// A Kernel is what a follower needs of an operating system: a source of notices
// and the process table.
type Kernel interface {
	Source
	// Read appends one row for each process. The cost is the processor time that
	// the calling thread spent for it. Among the rows are those of hidden
	// processes, as far as the table names them.
	Read(rows []process.Row) (_ []process.Row, cost time.Duration, err error)
	// Partial returns why the last read did not show all processes, or nil.
	Partial() error
	// Inhabited reports whether a process is in a group or session with one of these
	// ids, other than a zombie that has one of them as its PID. It is for kernels that
	// name forks, and costs far less than Read. The error is why it cannot tell.
	Inhabited(ids map[int]bool) (_ bool, cost time.Duration, err error)
	// Lookup returns the row of one process, or process.ErrGone.
	Lookup(pid int) (process.Row, error)
	// Alone reports whether no process can be linked to a living one as things are: that
	// has no child, and there is no group or session of its making. It reads no table.
	// False means that it may not be so.
	Alone(process.Row) bool
	// Marks returns the marks in the environment of a process, the outermost first, and
	// the processor time that it took to find out. Beside process.ErrGone the error is
	// fs.ErrPermission where the process may not be asked. Any other means that it has to
	// be asked again. A process of another user than this one's has none, unless this one
	// is root.
	Marks(process.Row) (_ []string, cost time.Duration, err error)
	// Lineage reports whether rows have lineages.
	Lineage() bool
}

// A Source turns one kernel's notifications into notices.
//
// One goroutine calls its methods; Wake and Lags may be called from others.
type Source interface {
	// Forks returns how much the notices report of forks.
	Forks() process.Forks
	// Inherit makes the children of watched processes watched from birth,
	// where forks are named.
	Inherit()
	// Add watches the process that has the PID now. The error is process.ErrGone when
	// it is dead or cannot be watched to its end.
	Add(pid int) error
	// Remove ends watching the PID, if it is watched.
	Remove(pid int)
	// Next appends the notices that are there. If there is none, it waits for
	// one until the timeout, for ever if that is negative. It may
	// return none: after a wake, a signal or the time. A PID is not watched
	// any more when its exit has been returned.
	Next(notices []Notice, timeout time.Duration) ([]Notice, error)
	// Wake makes Next return.
	Wake()
	// Lags reports whether a notice of a fork or an exec may be there since more than a
	// few milliseconds without having made Next return. A notice of an exit never is.
	Lags() bool
	Close() error
}

// Forever is the timeout of a call of Next that ends only with a notice or a wake.
const Forever = time.Duration(-1)

// A Notice reports what happened to a watched process since the last notice about it.
// Notices may merge: several forks are one, and a fork and an exit come together.
type Notice struct {
	PID    int
	Events process.Events
	// Child is the PID of the child that was made, where forks are named. Such
	// notices do not merge.
	Child int
	// Lost means that notices about any process may be missing before this one,
	// which names no process.
	Lost bool
	// Found is the child of a fork, or the process of an exec, when the notice was
	// taken. Its start time is zero if it was gone by then, or is hidden.
	Found process.Row
}
