//go:build darwin || linux

package harness

import (
	"errors"
	"fmt"
	"os"
	"time"
)

// A limited test knows when the time of the test run ends, as a *testing.T does. go test
// then ends the process without calling any clean-up.
type limited interface {
	Deadline() (time.Time, bool)
}

var errRunEnds = errors.New("the time of the test run (go test -timeout) ends")

// heedDeadline reports and ends everything shortly before the time of the test run is
// over. What waits for something fails then.
func (s *Stage) heedDeadline() {
	t, ok := s.t.(limited)
	if !ok {
		return
	}
	deadline, ok := t.Deadline()
	if !ok {
		return
	}
	left := time.Until(deadline)
	reserve := min(max(left/20, 2*time.Second), left/2)
	done := make(chan struct{})
	timer := time.AfterFunc(left-reserve, func() {
		defer close(done)
		s.expire()
	})
	s.t.Cleanup(func() { // before the stage is cleared
		if !timer.Stop() {
			<-done
		}
	})
}

// expire runs beside the test. It writes to standard error, as the log of a test that does
// not end is lost.
func (s *Stage) expire() {
	s.explained.Store(true)
	s.Logf("FAILED %v", errRunEnds)
	fmt.Fprintf(os.Stderr, "harness: %v\n%s", errRunEnds, s.Report())
	s.stop(errRunEnds)
	s.t.Errorf("%v", errRunEnds)
}
