package monitor

import (
	"slices"
	"syscall"
	"time"

	"github.com/gemini-monitor/gemini/tracker/trees"
)

// keepLimits begins to keep the limits of the record, and goes on with what an earlier
// monitor has begun.
func (w *Watching) keepLimits() {
	if w.record.Ending != nil {
		_ = w.stopper.tell(*w.record.Ending, true) // it fails only where the watching has ended
	}
	if limit := time.Duration(w.record.Limits.Timeout); limit > 0 && !w.timedOut() {
		w.limit = time.Now().Add(limit - time.Since(w.record.Created))
	}
	w.ownerGone = !slices.ContainsFunc(slices.Concat(w.tree.Members(), w.tree.Released()), func(m trees.Member) bool { return m.Identity == w.record.Owner })
}

func (w *Watching) timedOut() bool {
	return w.record.Ending != nil && w.record.Ending.By == CauseTimeout
}

// endLeftovers has the members end that the owner has left, if that is asked for.
func (w *Watching) endLeftovers(changes []trees.Change) {
	for _, c := range changes {
		w.ownerGone = w.ownerGone || (c.Kind == trees.Left || c.Kind == trees.Ended) && c.Member.Identity == w.record.Owner
	}
	if w.record.Limits.Leftovers && w.ownerGone && len(w.tree.Members()) > 0 && w.stopper.asked() == nil {
		w.tell(CauseLeftovers)
	}
}

// tell has the members end because a limit is reached.
func (w *Watching) tell(by Cause) {
	_ = w.stopper.tell(Ending{By: by, Signal: syscall.SIGTERM, Asked: time.Now(), Grace: w.record.Limits.Grace}, false)
}

// told is the event of a request to end, which goes into the record.
func (w *Watching) told() event {
	w.record.Ending = w.stopper.asked()
	return event{kind: toldToEnd, reason: w.record.Ending.reason()}
}
