package monitor

import "time"

// A life decides what becomes of a runtime while it is watched. It is a state
// machine of plain data: step takes one event and returns the acts that follow.
// It makes no system call, knows no clock and starts no goroutine. A driver
// carries out the acts in order and reports their outcomes as events.
//
// The phases:
//
//	attaching  the record is being written with the monitor; the owner waits for that
//	returning  the same for a runtime that had a monitor before; its processes do not wait
//	following  the process table shows members
//	blind      the process table cannot be read
//	checking   the process table is being read anew
//	asking     the process table shows no member; the lease is being asked
//	waiting    the process table shows no member, and the lease is held or
//	           cannot be asked
//	hooking    both witnesses agree; the on-empty command runs
//	removing   both witnesses agree; the runtime is being removed
//	idling     both witnesses agree; the durable runtime is being made idle
//	stuck      that failed, and is tried again
//	over       the watching has ended
//
// The edges. An event that a phase does not name changes nothing there.
// "outdated" is the answer to a question that news have overtaken. "watched"
// stands for following, blind, checking, asking, waiting, hooking and stuck.
//
//	phase      event              next       acts
//	attaching  recorded           following  ready
//	attaching  unrecorded         over       finish: failed
//	returning  recorded           following  ready
//	returning  unrecorded         following  ready
//	returning  replaced           over       finish: replaced
//	returning  leave              over       finish: left
//	returning  tracker ended      over       finish: failed
//	attaching  replaced           over       finish: replaced
//	attaching  leave              over       finish: left
//	attaching  tracker ended      over       finish: failed
//	following  emptied            asking     ask the lease
//	following  unreadable         blind      record: unknown; look timer, slow
//	following  readable           checking   check the table
//	blind      emptied            asking     ask the lease
//	blind      readable           checking   check the table
//	blind      look               checking   check the table
//	checking   members            checking   (the answer is outdated)
//	checking   readable           checking   (the answer is outdated)
//	checking   outdated           checking   check the table
//	checking   alive              following  record: running; end listening
//	checking   vacant             asking     ask the lease
//	checking   unchecked          blind      record: unknown; look timer, slow
//	checking   emptied            asking     ask the lease
//	checking   unreadable         blind      record: unknown; look timer, slow
//	asking     free               removing   remove
//	asking     free to hook       hooking    record: stopping; run the on-empty command, once at a time
//	asking     free to idle       idling     make idle
//	asking     held               waiting    record: unknown; listen; look timer
//	asking     unasked            waiting    record: unknown; listen; look timer
//	asking     unsettled          checking   check the table
//	asking     outdated           asking     ask the lease
//	asking     members            checking   check the table
//	asking     readable           checking   check the table
//	asking     emptied            asking     (the answer is outdated)
//	asking     unreadable         blind      record: unknown; look timer, slow
//	waiting    look               checking   check the table
//	waiting    released           checking   check the table
//	waiting    members            checking   check the table
//	waiting    readable           checking   check the table
//	waiting    emptied            asking     ask the lease
//	waiting    unreadable         blind      record: unknown; look timer, slow
//	hooking    hooked             checking   check the table
//	hooking    unhooked           stuck      record: stopping; look timer, rare
//	hooking    forgone            checking   check the table
//	hooking    members            checking   check the table
//	hooking    readable           checking   check the table
//	hooking    emptied            asking     ask the lease
//	hooking    unreadable         blind      record: unknown; look timer, slow
//	watched    leave              over       finish: left
//	watched    replaced           over       finish: replaced
//	watched    tracker ended      over       finish: failed
//	removing   removed            over       finish: removed
//	removing   unremoved          stuck      record: stopping; watch mounts; look timer, rare
//	removing   replaced           over       finish: replaced
//	idling     idled              over       finish: idle
//	idling     unidled            stuck      record: stopping; watch mounts; look timer, rare
//	idling     replaced           over       finish: replaced
//	stuck      look               checking   check the table
//	stuck      unmounted          checking   check the table
//	stuck      forgone            checking   check the table
//	stuck      members            checking   check the table
//	stuck      readable           checking   check the table
//	stuck      emptied            asking     ask the lease
//	stuck      unreadable         blind      record: unknown; look timer, slow
//
// Beside the phases a life keeps the books: in every phase changes of the table
// are appended to the journal, and a record or journal that could not be written
// is written again after the retry timer and after the next change, the journal also before
// the life leaves. No phase but
// attaching and returning waits for a write.
//
// "free to hook" is the answer that the lease is free where the on-empty command has not run
// since the table last showed a member. That it has ended counts in every phase. "free to idle"
// is that answer where the runtime is durable and no on-empty command is due: a durable runtime
// is never removed by a life.
//
// "forgone" is that the on-empty command is given up: there is none any more, in every phase.
//
// "told to end" changes no phase: a stopper makes the members end (see stopping), and from
// then on a runtime with members is stopping, with the reason. The record has the request, so
// that the next monitor goes on with it.
//
// A life is comparable, so that states can be counted.
type life struct {
	phase phase
	// lease and table are the questions that are under way.
	lease, table question
	// hook is how far the on-empty command is.
	hook hookState
	// durable: the runtime stays when it is empty.
	durable bool
	// patience is how long the next look is away while the lease is held or the
	// removal fails.
	patience time.Duration
	// said is the statement that the record should have.
	said statement
	// reason is why the members are to end, empty while they are not.
	reason string
	// recordBehind: the record does not have it. journalBehind: changes are
	// missing in the journal.
	recordBehind, journalBehind bool
}

// A phase is where a life stands.
type phase uint8

const (
	attaching phase = iota
	returning
	following
	blind
	checking
	asking
	waiting
	hooking
	removing
	idling
	stuck
	over
)

// A hookState is how far the on-empty command of a runtime is.
type hookState uint8

const (
	hookless hookState = iota // there is none
	hookDue
	hookRuns
	hookDone // since the table last showed a member
)

var phaseNames = [...]string{"attaching", "returning", "following", "blind", "checking", "asking", "waiting", "hooking", "removing", "idling", "stuck", "over"}

func (p phase) String() string { return phaseNames[p] }

// A question is one of the two that a life asks. Each is under way once at most.
type question uint8

const (
	unaskedYet question = iota
	underWay
	outdated // under way, but its answer does not count
)

const (
	// quickLook is how soon the witnesses are asked again after the lease was
	// found held or was released. The time doubles with each look.
	quickLook = time.Millisecond
	// slowLook is the longest time between two looks, and how often a write
	// that failed is tried again.
	slowLook = 5 * time.Second
	// rareLook is the longest time between two tries to remove a runtime. The
	// first comes after slowLook, and the time doubles.
	rareLook = 5 * time.Minute
)

// The reasons in the record where the witnesses do not agree.
const (
	reasonHeld       = "a process that the process table does not show as a member holds the lease"
	reasonUnasked    = "the lease cannot be asked: "
	reasonUnreadable = "the process table cannot be read: "
	reasonHooking    = "it is empty, and its on-empty command runs"
	reasonUnhooked   = "its on-empty command has failed and is tried again: "
)
