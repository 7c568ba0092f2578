package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/gemini-monitor/gemini/monitor"
)

// taken returns the error for a name that a runtime has already. It has that runtime
// watched, if it has no monitor, and adds its state and what can be done, where err says
// neither.
func (g *global) taken(store *monitor.Store, name string, err error) error {
	survey, unread := store.Survey()
	if unread != nil {
		return err
	}
	status, unread := survey.Named(name)
	if unread != nil {
		return err
	}
	if status.State == monitor.StateUnmonitored {
		g.adopt(context.Background(), store)
	}
	if !strings.HasSuffix(err.Error(), monitor.ErrExist.Error()) {
		return err
	}
	return fmt.Errorf("%w: %s", err, advice(status))
}

// advice returns the state of a runtime whose name is wanted, and what can be done.
func advice(s monitor.Status) string {
	return fmt.Sprintf("it is %s; end it with 'monitor stop %s', or choose another name", condition(s), s.Name)
}

// condition returns the state of a runtime with its number of members.
func condition(s monitor.Status) string {
	switch n := len(s.Members); n {
	case 0:
		return string(s.State)
	case 1:
		return string(s.State) + " with 1 member"
	default:
		return fmt.Sprintf("%s with %d members", s.State, n)
	}
}
