package checkup

import (
	"context"
	"errors"
	"io/fs"
	"time"

	"github.com/gemini-monitor/gemini/internal/unixsocket"
	"github.com/gemini-monitor/gemini/monitor"
	"github.com/gemini-monitor/gemini/monitor/resident"
	"github.com/gemini-monitor/gemini/tracker/process"
)

// residentOf asks the resident monitor of a store, and starts none.
func residentOf(ctx context.Context, o Options, s *monitor.Store) Resident {
	r := within(ctx, o, func() Resident { return ask(ctx, o, s) }, func(err error) Resident { return Resident{Err: err} })
	if r.Status == nil {
		why := r.Err
		r = within(ctx, o, func() Resident { return silent(s, why) }, func(err error) Resident { return Resident{Err: err} })
	}
	r.Unwanted = o.Alone
	return r
}

// ask returns what the resident answers.
func ask(ctx context.Context, o Options, s *monitor.Store) Resident {
	ctx, done := context.WithTimeout(ctx, o.Patience)
	defer done()
	status, tally, err := resident.Ask(ctx, s)
	if ctx.Err() != nil {
		err = ErrLate
	}
	if err != nil {
		return Resident{Err: err}
	}
	r := Resident{Status: &status, Tally: &tally, Since: time.Since(status.Started), GaveUp: resident.GaveUp(s)}
	switch {
	case status.OlderThan(o.Program.Version):
		r.Age = Older
	case status.NewerThan(o.Program.Version):
		r.Age = Newer
	}
	if r.Elsewhere = status.Process.Visible(); r.Elsewhere == nil {
		r.Files, r.Cgroup = filesOf(status.Process.PID), otherCgroup(status.Process.PID)
		r.Member = memberOf(s, o.Outer, status.Process)
	}
	return r
}

// silent returns what can be seen of a resident that has not answered. A socket that is not
// there, or that no process listens at, and a last resident that is dead are none.
func silent(s *monitor.Store, why error) Resident {
	r := Resident{Err: why, GaveUp: resident.GaveUp(s)}
	closed := errors.Is(why, fs.ErrNotExist) || errors.Is(why, unixsocket.ErrRefused)
	card, err := resident.ReadCard(s)
	if err == nil {
		r.Elsewhere = card.Process.Visible()
	}
	if err == nil && r.Elsewhere == nil {
		row, err := process.Lookup(card.Process.PID)
		if err == nil && row.Identity == card.Process && row.State != process.Zombie {
			r.PID, r.Stopped = row.PID, row.State == process.Stopped
		}
	}
	r.None = closed && r.PID == 0 && r.Elsewhere == nil
	return r
}

// memberOf returns the runtime of another store that has a process as a member, or "".
func memberOf(s *monitor.Store, outer string, id process.Identity) string {
	o := otherStore(s, outer)
	if o == nil {
		return ""
	}
	survey, err := o.Survey()
	if err != nil {
		return ""
	}
	all, _ := survey.All()
	for _, status := range all {
		for _, m := range status.Members {
			if m.Identity == id {
				return status.Name
			}
		}
	}
	return ""
}
