//go:build darwin || linux

package harness

import (
	"fmt"
	"strings"

	"github.com/gemini-monitor/gemini/harness/internal/wire"
)

// text describes the standing, its PID left out.
func (s Standing) text() string {
	return fmt.Sprintf("parent %d, group %d, session %d, start %d", s.Parent, s.Group, s.Session, s.Start)
}

// since describes what differs from before, "" if nothing does.
func (s Standing) since(before Standing) string {
	var changed []string
	for _, c := range []struct {
		what     string
		now, old int
	}{{"PID", s.PID, before.PID}, {"parent", s.Parent, before.Parent}, {"group", s.Group, before.Group}, {"session", s.Session, before.Session}} {
		if c.now != c.old {
			changed = append(changed, fmt.Sprintf("%s is now %d", c.what, c.now))
		}
	}
	if s.Start != before.Start {
		changed = append(changed, fmt.Sprintf("start is now %d", s.Start))
	}
	return strings.Join(changed, ", ")
}

// recordAnswer completes the event of an order with its outcome and with what has
// changed in the standing of the puppet since its last answer.
func (p *Puppet) recordAnswer(done func(string), a wire.Answer, err error) {
	var parts []string
	if err != nil {
		parts = append(parts, err.Error())
	}
	if a.Child != 0 && a.Status == (wire.Status{}) {
		parts = append(parts, fmt.Sprintf("child %d", a.Child))
	}
	if a.Status != (wire.Status{}) {
		parts = append(parts, Status{Code: a.Status.Code, Signal: a.Status.Signal}.String())
	}
	if a.PID != 0 {
		if changed := standing(a).since(p.last); changed != "" {
			parts = append(parts, changed)
		}
		p.last = standing(a)
	}
	done(strings.Join(parts, ", "))
}
