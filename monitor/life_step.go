package monitor

import "cmp"

// A turn is one step of a life.
type turn struct {
	*life
	acts []act
}

// step takes an event and returns what follows from it, in order.
func (l *life) step(e event) []act {
	t := &turn{life: l}
	if l.phase == over {
		return nil
	}
	t.file(e)
	switch {
	case e.kind == begin || e.kind == beginAgain:
		t.patience = quickLook
		if e.kind == beginAgain {
			t.phase = returning
		}
		t.living()
	case e.kind == toldToEnd:
		t.end(e.reason)
	case e.kind == forgone:
		t.forgo()
	case !t.ends(e):
		t.decide(e)
	}
	t.catchUp(e)
	return t.acts
}

func (t *turn) do(a act) { t.acts = append(t.acts, a) }

// ends ends the watching for what ends it in most phases.
func (t *turn) ends(e event) bool {
	switch {
	case e.kind == replaced:
		t.do(act{kind: writeLog, text: "the directory was removed or replaced by hand", alarm: true})
		t.finish(resultReplaced, "")
	case e.kind == leave && !t.concludes():
		if t.journalBehind && !t.does(appendJournal) {
			t.do(act{kind: appendJournal}) // the next monitor goes on from it
		}
		t.finish(resultLeft, "")
	case e.kind == trackerEnded && !t.concludes():
		t.finish(resultFailed, e.reason)
	default:
		return false
	}
	return true
}

// concludes reports whether the outcome of the last act of a watching is to come.
func (t *turn) concludes() bool { return t.phase == removing || t.phase == idling }

// decide goes on from the present phase.
func (t *turn) decide(e event) {
	switch t.phase {
	case attaching:
		t.attach(e)
	case returning:
		t.comeBack(e)
	case following:
		t.hear(e)
	case blind:
		t.lookAgain(e)
	case checking:
		t.weighTable(e)
	case asking:
		t.weighLease(e)
	case waiting:
		t.wait(e)
	case hooking:
		t.awaitHook(e)
	case removing, idling:
		t.awaitConclusion(e)
	case stuck:
		t.tryAgain(e)
	}
}

func (t *turn) attach(e event) {
	switch e.kind {
	case recorded:
		t.phase = following
		t.do(act{kind: ready})
	case unrecorded:
		t.finish(resultFailed, e.reason)
	}
}

// comeBack goes on with a runtime whatever became of the record: its processes are there.
func (t *turn) comeBack(e event) {
	switch e.kind {
	case recorded, unrecorded:
		t.phase = following
		t.do(act{kind: ready})
	}
}

// hear takes news of the table. An answer that is under way does not count then.
func (t *turn) hear(e event) {
	switch e.kind {
	case emptied:
		t.patience = quickLook
		t.ask()
	case unreadable:
		t.goBlind(reasonUnreadable + e.reason)
	case readable:
		t.check()
	case members:
		// Where the table shows members, changes of them go to the journal alone.
		// Where it showed none, it is read anew: a member may have come and gone.
		if t.phase != following && t.phase != blind {
			t.patience = quickLook
			t.check()
		}
	}
}

func (t *turn) lookAgain(e event) {
	if e.kind == look {
		t.check()
		return
	}
	t.hear(e)
}

func (t *turn) weighTable(e event) {
	switch e.kind {
	case alive, vacant, unchecked:
		q := t.table
		t.table = unaskedYet
		switch {
		case q == outdated:
			t.check()
		case e.kind == alive:
			t.do(act{kind: endListening})
			t.phase, t.patience = following, quickLook
			if t.hook == hookDone {
				t.hook = hookDue
			}
			t.living()
		case e.kind == vacant:
			t.ask()
		default:
			t.goBlind(e.reason)
		}
	default:
		t.hear(e)
	}
}

func (t *turn) weighLease(e event) {
	switch e.kind {
	case free, held, unasked, unsettled:
		q := t.lease
		t.lease = unaskedYet
		switch {
		case q == outdated:
			t.ask()
		case e.kind == free && (t.hook == hookDue || t.hook == hookRuns):
			t.callHook()
		case e.kind == free:
			t.conclude()
		case e.kind == unsettled:
			t.check()
		case e.kind == held:
			t.await(cmp.Or(e.reason, reasonHeld))
		default:
			t.await(reasonUnasked + e.reason)
		}
	default:
		t.hear(e)
	}
}

// conclude removes the runtime, or makes it idle where it is durable.
func (t *turn) conclude() {
	if t.durable {
		t.phase = idling
		t.do(act{kind: makeIdle})
		return
	}
	t.phase = removing
	t.do(act{kind: remove})
}

// await waits for the lease: a process that the table lost lives, or may live.
func (t *turn) await(reason string) {
	t.phase = waiting
	t.state(StateUnknown, reason)
	t.do(act{kind: listen})
	after := min(t.patience, slowLook)
	t.do(act{kind: setLook, after: after})
	t.patience = 2 * after
}

func (t *turn) wait(e event) {
	switch e.kind {
	case look:
		t.check()
	case released:
		// On Linux the kernel reports the close just before it frees the lock
		// (docs/linux.md L22), so the next look may find it held.
		t.patience = quickLook
		t.check()
	default:
		t.hear(e)
	}
}

// callHook has the on-empty command run, unless it runs since before the last news.
func (t *turn) callHook() {
	t.phase = hooking
	t.state(StateStopping, reasonHooking)
	if t.hook == hookDue {
		t.hook = hookRuns
		t.do(act{kind: runHook})
	}
}

// awaitHook waits for the on-empty command. Both witnesses are asked again after it.
func (t *turn) awaitHook(e event) {
	switch e.kind {
	case hooked:
		t.check()
	case unhooked:
		t.stick(e.reason)
	default:
		t.hear(e)
	}
}

// forgo goes on without the on-empty command.
func (t *turn) forgo() {
	t.hook = hookless
	t.rewrite()
	if t.phase == hooking || t.phase == stuck {
		t.check()
	}
}

func (t *turn) awaitConclusion(e event) {
	switch e.kind {
	case removed:
		t.do(act{kind: writeLog, text: "removed"})
		t.finish(resultRemoved, "")
	case idled:
		t.do(act{kind: writeLog, text: "idle"})
		t.finish(resultIdle, "")
	case unremoved, unidled:
		t.stick(e.reason)
	}
}

// stick waits until the removal, or the record that the runtime is idle, may succeed. Both
// witnesses are asked again before.
func (t *turn) stick(reason string) {
	t.phase = stuck
	t.state(StateStopping, reason)
	if t.recordBehind && !t.does(writeRecord) {
		t.do(act{kind: writeRecord, says: t.said})
	}
	t.do(act{kind: watchMounts})
	after := max(t.patience, slowLook)
	t.do(act{kind: setLook, after: after})
	t.patience = min(2*after, rareLook)
}

func (t *turn) tryAgain(e event) {
	switch e.kind {
	case look, unmounted:
		t.check()
	default:
		t.hear(e)
	}
}

// ask asks the lease. Where an outdated answer is under way, it asks after that.
func (t *turn) ask() {
	t.overtake()
	t.phase = asking
	if t.lease == unaskedYet {
		t.lease = underWay
		t.do(act{kind: askLease})
	}
}

// check reads the table anew. Where an outdated answer is under way, it does so after
// that.
func (t *turn) check() {
	t.overtake()
	t.phase = checking
	if t.table == unaskedYet {
		t.table = underWay
		t.do(act{kind: checkTable})
	}
}

// overtake makes the answers outdated that have not come yet.
func (t *turn) overtake() {
	if t.lease == underWay {
		t.lease = outdated
	}
	if t.table == underWay {
		t.table = outdated
	}
}

func (t *turn) goBlind(reason string) {
	t.overtake()
	t.phase = blind
	t.state(StateUnknown, reason)
	t.do(act{kind: setLook, after: slowLook})
}

func (t *turn) finish(r result, reason string) {
	t.phase = over
	t.do(act{kind: finish, result: r, reason: reason})
}
