package core

import "time"

// A budget spaces out reads so that they cost a small share of one processor,
// while the first ones after a quiet time go at once.
type budget struct {
	credit time.Duration
	at     time.Time // when credit was reckoned
}

const (
	// share is the quiet time that pays for reading, as a multiple of the
	// time the read took: 1/33 is about three percent.
	share = 33
	// savings is the most reading that can be saved up for.
	savings = 50 * time.Millisecond
)

// charge takes the price of a read that ended now.
func (b *budget) charge(took time.Duration, now time.Time) {
	if !b.at.IsZero() {
		b.credit += now.Sub(b.at) / share
	}
	if b.at.IsZero() || b.credit > savings {
		b.credit = savings
	}
	b.credit -= took
	b.at = now
}

// ready returns when the next read may begin; in the past means now.
func (b *budget) ready() time.Time {
	if b.credit > 0 {
		return b.at
	}
	return b.at.Add(-b.credit * share)
}
