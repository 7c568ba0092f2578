package monitor

// state writes a new state into the record and the log. It does nothing where the
// record has it already.
func (t *turn) state(state State, reason string) {
	if now := (statement{state, reason}); t.said != now {
		t.said = now
		t.do(act{kind: writeLog, text: "state", says: now, alarm: state == StateStopping && reason != t.reason})
		t.do(act{kind: writeRecord, says: now})
	}
}

// stays reports whether it was said why the runtime stays although no member of it may live.
func (l *life) stays() bool {
	return l.said.state == StateUnknown || l.said.state == StateStopping && l.said.reason != l.reason
}

// living writes the state of a runtime with members.
func (t *turn) living() {
	if t.reason != "" {
		t.state(StateStopping, t.reason)
		return
	}
	t.state(StateRunning, "")
}

// end takes that the members are told to end. The request is in the record also where
// another state is.
func (t *turn) end(reason string) {
	before := t.reason
	t.reason = reason
	said := t.said == (statement{StateRunning, ""}) || before != "" && t.said == (statement{StateStopping, before})
	if said && !t.concludes() {
		t.living()
	}
	t.rewrite()
}

// rewrite writes the record again, for what it has beside the state. While the runtime is being
// removed or made idle, that would say that it is not: the record is written if that fails.
func (t *turn) rewrite() {
	switch {
	case t.concludes():
		t.recordBehind = true
	case !t.does(writeRecord):
		t.do(act{kind: writeRecord, says: t.said})
	}
}

// file takes the changes that an event carries, and the outcomes of writes and
// late answers, which are the same in every phase.
func (t *turn) file(e event) {
	if len(e.changes) > 0 {
		t.do(act{kind: appendJournal, changes: e.changes})
	}
	switch e.kind {
	case recorded:
		t.outcome(&t.recordBehind, "record", false, "")
	case unrecorded:
		if t.phase == attaching {
			t.recordBehind = true // this was the only attempt
			return
		}
		t.outcome(&t.recordBehind, "record", true, e.reason)
	case journaled:
		t.outcome(&t.journalBehind, "journal", false, "")
	case unjournaled:
		t.outcome(&t.journalBehind, "journal", true, e.reason)
	case free, held, unasked, unsettled:
		if t.phase != asking {
			t.lease = unaskedYet
		}
	case alive, vacant, unchecked:
		if t.phase != checking {
			t.table = unaskedYet
		}
	case hooked, unhooked:
		t.hookEnded(e.kind == hooked)
	}
}

// hookEnded takes that the on-empty command has ended, unless it was given up.
func (t *turn) hookEnded(well bool) {
	switch {
	case t.hook == hookless:
	case well:
		t.hook = hookDone
	default:
		t.hook = hookDue
	}
}

// outcome keeps whether a write succeeded. Only the last outcome counts: each write
// includes what earlier ones did not write.
func (t *turn) outcome(behind *bool, what string, failed bool, reason string) {
	switch {
	case failed && !*behind:
		t.do(act{kind: writeLog, text: "the " + what + " cannot be written and is tried again", reason: reason, alarm: true})
	case !failed && *behind:
		t.do(act{kind: writeLog, text: "the " + what + " is up to date again"})
	}
	*behind = failed
	if failed {
		t.do(act{kind: setRetry, after: slowLook})
	}
}

// catchUp repeats the writes that failed, after news of the table and when the retry
// timer is due.
func (t *turn) catchUp(e event) {
	if t.phase == over || !e.isNews() && e.kind != retry {
		return
	}
	if t.journalBehind && !t.does(appendJournal) {
		t.do(act{kind: appendJournal})
	}
	if t.recordBehind && !t.does(writeRecord) {
		t.do(act{kind: writeRecord, says: t.said})
	}
}

func (t *turn) does(kind actKind) bool {
	for _, a := range t.acts {
		if a.kind == kind {
			return true
		}
	}
	return false
}

// isNews reports whether the event is a change of the table.
func (e event) isNews() bool {
	switch e.kind {
	case members, emptied, unreadable, readable, noted:
		return true
	}
	return false
}
