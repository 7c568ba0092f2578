package monitor

import (
	"errors"
	"syscall"
	"time"

	"github.com/gemini-monitor/gemini/tracker/trees"
)

const (
	// emptyFor is how long a runtime without a member may have a reason to stay before it
	// counts as one that stays. A busy machine may need longer to find out that it is empty.
	emptyFor = time.Second
	// killedFor is how long a member may live after the first SIGKILL before it counts as one
	// that does not end.
	killedFor = 10 * time.Second
)

// remainder returns what is left that does not end: nothing while it may still end.
func (s *stopper) remainder(members []trees.Member, now time.Time) (rest Remainder) {
	since := s.stays.Load()
	rest.Empty = since != nil && now.Sub(*since) > emptyFor && !s.empty.IsZero() && now.Sub(s.empty) > emptyFor
	for _, m := range members {
		refused := s.refused[m.Identity]
		switch {
		case refused != nil:
			rest.Members = append(rest.Members, Survivor{Member: m, Reason: "it cannot be signalled: " + why(refused)})
		case now.Sub(s.since) > killedFor:
			rest.Members = append(rest.Members, Survivor{Member: m, Reason: "it was killed and has not ended"})
		default:
			return Remainder{} // it is about to end
		}
	}
	return rest
}

// hear takes whether the life has a reason for which the runtime stays.
func (s *stopper) hear(stays bool, now time.Time) {
	switch {
	case !stays:
		s.stays.Store(nil)
	case s.stays.Load() == nil:
		s.stays.Store(&now)
	}
}

// why returns what the kernel says of a signal that it refuses.
func why(err error) string {
	if errno, ok := errors.AsType[syscall.Errno](err); ok {
		return errno.Error()
	}
	return err.Error()
}

// A Remainder is what is left of a runtime that was told to end.
type Remainder struct {
	// Members live and do not end.
	Members []Survivor `json:"members,omitempty"`
	// Empty: no member is known, and the runtime is there all the same. Its record says why.
	Empty bool `json:"empty,omitempty"`
}

func (r Remainder) none() bool { return len(r.Members) == 0 && !r.Empty }

// A Survivor is a member that does not end, with the reason.
type Survivor struct {
	trees.Member
	Reason string `json:"reason"`
}
