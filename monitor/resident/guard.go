package resident

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"time"

	"github.com/gemini-monitor/gemini/monitor"
)

// A resident and its guard are two processes. Each has the reading end of a pipe whose
// writing end only the other holds, and so sees the other's end, by whatever way it came.
// A resident that ends in good order says so in its pipe first.
const (
	aliveFD = 3 // the guard reads what the resident says; the resident writes
	holdFD  = 4 // the resident reads nothing; the guard holds it open
)

// farewell is what a resident says that must not be started anew.
const farewell = 'b'

// A Guard starts a resident anew that has died. It holds nothing but its pipes.
type Guard struct {
	Store *monitor.Store
	// Command returns the command line of a resident with a guard.
	Command func() *exec.Cmd
	Log     *slog.Logger

	alive, hold *os.File
	child       *exec.Cmd // nil for a resident that has started this guard
	deaths      deaths
}

// Run guards the resident that has started this process. It returns nil when the resident
// has ended in good order, and an error when it died too often: the next command starts
// one then.
func (g *Guard) Run() error {
	g.alive, g.hold = inherit(aliveFD, "alive"), inherit(holdFD, "hold")
	for {
		said, _ := io.ReadAll(g.alive)
		how := g.reap()
		if len(said) > 0 {
			return nil
		}
		if !g.deaths.admit(time.Now()) {
			return g.giveUp(fmt.Errorf("the resident monitor died %d times within %v, the last time at %s (%s)",
				len(g.deaths), deathWindow, time.Now().Format(time.RFC3339), how))
		}
		g.Log.Warn("the resident monitor died and is started anew", "how", how)
		if err := g.start(); err != nil {
			return g.giveUp(fmt.Errorf("the resident monitor died at %s (%s) and cannot be started anew: %w",
				time.Now().Format(time.RFC3339), how, err))
		}
	}
}

// reap waits for the resident, which has ended, and returns how it did.
func (g *Guard) reap() string {
	if g.child == nil {
		return "not known"
	}
	err := g.child.Wait()
	g.child = nil
	if err == nil {
		return "without a word"
	}
	return err.Error()
}

func (g *Guard) start() (err error) {
	g.alive.Close()
	g.hold.Close()
	var theirAlive, theirHold *os.File
	if g.alive, theirAlive, err = os.Pipe(); err != nil {
		return err
	}
	if theirHold, g.hold, err = os.Pipe(); err != nil {
		return errors.Join(err, theirAlive.Close())
	}
	cmd := g.Command()
	cmd.ExtraFiles = []*os.File{theirAlive, theirHold}
	err = cmd.Start()
	theirAlive.Close()
	theirHold.Close()
	if err == nil {
		g.child = cmd
	}
	return err
}

// giveUp leaves a file for the next command to show.
func (g *Guard) giveUp(why error) error {
	g.Log.Error("gave up", "reason", why)
	text := fmt.Sprintf("%v; its log is %s\n", why, LogPath(g.Store))
	return errors.Join(why, os.WriteFile(failedPath(g.Store), []byte(text), 0o600))
}

// More than maxDeaths within deathWindow are too many.
const (
	maxDeaths   = 5
	deathWindow = time.Minute
)

// deaths are the times of the last deaths of the other half.
type deaths []time.Time

// admit reports whether the other half may be started anew after a death now.
func (d *deaths) admit(now time.Time) bool {
	recent := (*d)[:0]
	for _, at := range *d {
		if now.Sub(at) < deathWindow {
			recent = append(recent, at)
		}
	}
	*d = append(recent, now)
	return len(*d) <= maxDeaths
}
