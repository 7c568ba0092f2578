package kernel

import "time"

// A pace is how long the reader rests after each batch of events. Each process of the
// machine that forks, execs or exits makes some: on a machine that builds something, a
// reader that does not rest is woken for each of them. While nothing concerns the watched
// processes, the rest grows. It ends at once when one of them ends: a pidfd tells that.
//
// Their forks and execs may wait in the kernel's buffer meanwhile. Nothing is concluded
// without them: a process is dead for the source only when all that was in the buffer at
// that moment has been taken, and all that it did is in the buffer before its end.
type pace struct {
	longest time.Duration // for this machine
	room    int           // events that the kernel's buffer holds
	rest    time.Duration // the last one
	quiet   int           // batches in a row that concerned no watched process
	// Since the last rest began:
	events int  // received
	busy   bool // one of them concerned a watched process
}

const (
	// breather is the rest after a batch that concerned a watched process. Events seldom
	// come alone.
	breather = 2 * time.Millisecond
	// longestRest bounds how late a fork or an exec is known. A person does not notice it.
	longestRest = 64 * time.Millisecond
	// patientBatches is how many batches are of no concern before the rest grows. The short
	// lives of a busy tree are over by then, and have cost no pidfd.
	patientBatches = 4
	// eventSize is how many bytes of the kernel's buffer an event takes, about.
	eventSize = 1 << 10
	// eventRate is how many events a processor makes in a second at most, about: a
	// fork, an exit and nothing between them take 50 microseconds and more.
	eventRate = 40_000
)

// newPace returns the pace for a buffer of some bytes on a machine with some processors.
// A burst must not overflow the buffer during one rest: an unprivileged process has room
// for 400 events.
func newPace(buffer, processors int) pace {
	room := buffer / eventSize
	longest := time.Duration(room) * time.Second / time.Duration(eventRate*processors)
	return pace{room: room, rest: breather, longest: min(max(longest, breather), longestRest)}
}

// take takes note of what was received.
func (p *pace) take(events int, concerned, lost bool) {
	p.events += events
	p.busy = p.busy || concerned || lost
	if lost {
		p.longest = max(p.longest/2, breather)
	}
}

// settled reports whether the rest may grow, as far as the last batches go.
func (p *pace) settled() bool { return !p.busy && p.quiet+1 >= patientBatches }

// next returns the rest that begins now. Growing means that the end of every watched
// process is known without the reader.
func (p *pace) next(growing bool) time.Duration {
	switch {
	case p.busy:
		p.quiet, p.rest = 0, breather
	case !growing:
		p.quiet, p.rest = p.quiet+1, breather
	case 4*p.events > p.room:
		p.quiet, p.rest = p.quiet+1, max(p.rest/2, breather)
	default:
		p.quiet, p.rest = p.quiet+1, min(2*p.rest, p.longest)
	}
	p.events, p.busy = 0, false
	return p.rest
}
