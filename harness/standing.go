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

// since says what has changed; nothing if all is as it was.
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

// noteAnswer completes the event of an order: what came of it, and what is
// different about the puppet since its last answer, its parent for example.
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
