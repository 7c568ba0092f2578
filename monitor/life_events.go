package monitor

import (
	"time"

	"github.com/gemini-monitor/gemini/tracker/trees"
)

// A statement is the state and the reason in the record.
type statement struct {
	state  State
	reason string
}

// An eventKind names what a driver reports to a life.
type eventKind uint8

const (
	// Before the first event a life has done nothing. Its changes are of
	// members that died while the runtime had no monitor.
	begin eventKind = iota
	// The same for a runtime that an earlier monitor has watched.
	beginAgain

	// News of the table. Each may carry changes for the journal.
	members    // processes joined or left
	emptied    // the table shows no member, and that is settled
	unreadable // the table cannot be read, for a reason
	readable   // the table can be read again
	noted      // processes were released, or released ones joined these or ended

	// Answers to checkTable.
	alive     // the table shows members
	vacant    // the table shows no member, and that is settled
	unchecked // the table could not be read, for a reason

	// Answers to askLease.
	free      // no process holds the lease
	held      // a process holds it that is not released; or one may, for a reason
	unasked   // the lease could not be asked, for a reason
	unsettled // no process holds it, but the table has moved since

	// Outcomes of writeRecord, appendJournal, remove and makeIdle, the bad ones for a
	// reason. The last of them replaces any: the directory is not the one
	// that was locked.
	recorded
	unrecorded
	journaled
	unjournaled
	removed
	unremoved
	idled
	unidled
	replaced

	// The rest.
	released     // the lease may have become free
	unmounted    // no file system is mounted in the runtime any more
	look         // the look timer
	retry        // the retry timer
	leave        // stop watching and leave everything as it is
	trackerEnded // the table will not be read any more, for a reason
	toldToEnd    // the members are told to end, for a reason
	hooked       // the on-empty command has ended well
	unhooked     // it has failed, for a reason
	forgone      // it is given up
)

var eventNames = [...]string{
	"begin", "begin again", "members", "emptied", "unreadable", "readable", "noted", "alive", "vacant", "unchecked",
	"free", "held", "unasked", "unsettled", "recorded", "unrecorded", "journaled", "unjournaled",
	"removed", "unremoved", "idled", "unidled", "replaced", "released", "unmounted", "look", "retry", "leave", "tracker ended", "told to end", "hooked", "unhooked", "forgone",
}

func (k eventKind) String() string { return eventNames[k] }

// An event is what a driver reports to a life.
type event struct {
	kind    eventKind
	reason  string
	changes []trees.Change
}

// An actKind names what a life has its driver do.
type actKind uint8

const (
	// writeRecord replaces the record: recorded, unrecorded or replaced follows.
	writeRecord actKind = iota
	// appendJournal adds changes to the journal, and what is missing in it:
	// journaled or unjournaled follows.
	appendJournal
	// askLease asks whether a process holds the lease: free, held, unasked or
	// unsettled follows.
	askLease
	// checkTable reads the table anew: alive, vacant or unchecked follows.
	checkTable
	// remove takes the runtime out of the store: removed, unremoved or replaced
	// follows.
	remove
	// makeIdle records that the durable runtime is idle: idled, unidled or replaced
	// follows.
	makeIdle
	// runHook runs the on-empty command: hooked or unhooked follows.
	runHook
	// listen begins to report releases of the lease; endListening ends that. A
	// driver may miss releases.
	listen
	endListening
	// watchMounts begins to report when no file system is mounted in the runtime any
	// more; endListening ends that too. A driver may miss it.
	watchMounts
	// setLook and setRetry set a timer, or set it anew: look or retry follows.
	setLook
	setRetry
	// writeLog writes a line of the log.
	writeLog
	// ready reports to the owner that the runtime is watched.
	ready
	// finish ends the watching. No act follows.
	finish
)

var actNames = [...]string{
	"write record", "append journal", "ask lease", "check table", "remove", "make idle", "run hook", "listen", "end listening",
	"watch mounts", "set look", "set retry", "write log", "ready", "finish",
}

func (k actKind) String() string { return actNames[k] }

// An act is what a life has its driver do.
type act struct {
	kind    actKind
	says    statement      // writeRecord; writeLog: of the state, if any
	changes []trees.Change // appendJournal; none where only what is missing is added
	after   time.Duration  // setLook, setRetry
	text    string         // writeLog
	reason  string         // writeLog, finish
	alarm   bool           // writeLog: a warning
	result  result         // finish
}

// A result is how the watching ended.
type result uint8

const (
	resultRemoved  result = iota // the runtime was empty and is gone
	resultIdle                   // the runtime was empty and stays, as it is durable
	resultLeft                   // as asked; the runtime stays
	resultReplaced               // the directory was removed or replaced by hand
	resultFailed                 // for a reason; the runtime stays
)

// ended reports whether the runtime has ended.
func (r result) ended() bool {
	return r == resultRemoved || r == resultIdle || r == resultReplaced
}

var resultNames = [...]string{"removed", "idle", "left", "replaced", "failed"}

func (r result) String() string { return resultNames[r] }

// newsOf makes one event of the changes of one moment. The last change of the table
// decides. After a read that failed, members decide nothing until a read succeeds.
func newsOf(changes []trees.Change) event {
	e, aside := event{kind: members, changes: changes}, 0
	for _, c := range changes {
		switch c.Kind {
		case trees.Emptied:
			e.kind = emptied
		case trees.Readable:
			e.kind = readable
		case trees.Unreadable:
			e.kind, e.reason = unreadable, c.Err.Error()
		case trees.Released, trees.Ended:
			aside++
		default:
			if e.kind == emptied {
				e.kind = members
			}
		}
	}
	if aside == len(changes) {
		e.kind = noted
	}
	return e
}
