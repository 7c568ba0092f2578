package monitor

// An admission is whether a process from outside may become a member of a runtime.
type admission uint8

const (
	undecided admission = iota // the witnesses are being asked: the next step decides
	admitted                   // the table has shown members; the tracker knows whether one lives
	refused                    // for a reason
)

// reasonVacant is why a runtime of which no member is known to live takes no newcomer. The
// lease proves nothing: the newcomer holds it too.
const reasonVacant = "no process of it is known to live, and it goes unless one shows up"

// admits returns whether a newcomer may become a member now, and the reason if it may not.
// In the phases that ask the witnesses nothing is decided. What follows on them is following,
// or a phase that refuses: a runtime that is being removed admits no process.
func (l *life) admits() (admission, string) {
	switch {
	case l.reason != "":
		return refused, l.reason
	case l.phase == following || l.phase == blind:
		return admitted, ""
	case l.phase == waiting:
		return refused, reasonVacant
	case l.phase == hooking || l.phase == stuck:
		return refused, l.said.reason
	}
	return undecided, ""
}
