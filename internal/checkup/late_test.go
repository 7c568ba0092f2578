package checkup

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// A question that blocks is given up, and its late answer is not waited for.
func TestLateAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		begun := time.Now()
		answer := within(t.Context(), Options{Patience: Patience}, func() error {
			<-release
			return nil
		}, func(err error) error { return err })
		if !errors.Is(answer, ErrLate) || time.Since(begun) != Patience {
			t.Errorf("after %v: %v", time.Since(begun), answer)
		}
		close(release)
	})
}

func TestAnswerInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		answer := within(t.Context(), Options{Patience: Patience}, func() int {
			time.Sleep(Patience - 1) // by the clock of the bubble: no time passes
			return 7
		}, func(error) int { return 0 })
		if answer != 7 {
			t.Error(answer)
		}
	})
}
