//go:build darwin || linux

package harness

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

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

// orderText returns an order in words.
func orderText(o wire.Order) string {
	words := []string{string(o.Do)}
	if o.Name != "" {
		words = append(words, o.Name)
	}
	words = append(words, o.Args...)
	switch o.Do {
	case wire.Raise, wire.Ignore:
		words = append(words, signalName(syscall.Signal(o.Number)))
	case wire.Reap, wire.Exit, wire.Close, wire.ChangeUser, wire.Trace, wire.Release:
		words = append(words, strconv.Itoa(o.Number))
	}
	if o.OwnSession {
		words = append(words, "(own session)")
	}
	if o.OwnGroup {
		words = append(words, "(own group)")
	}
	return strings.Join(words, " ")
}

// signalName returns the name of a signal, or its number if it has none.
func signalName(s syscall.Signal) string {
	return cmp.Or(unix.SignalName(s), fmt.Sprintf("signal %d", int(s)))
}
