package tracker

import (
	"log/slog"

	"github.com/gemini-monitor/gemini/tracker/process"
)

// Options are how a [Tracker] works. The zero value is the default.
type Options struct {
	// Logger takes what an operator may want to know: that the process table cannot
	// be read, why a better mechanism is not in use, why the tracker ended. Nil
	// discards it.
	Logger *slog.Logger
	// Mechanism is what announces the fates of processes.
	Mechanism Mechanism
	// Apart are processes that the calling one has started for itself. They are never
	// members, as it is not, also where it was a member before it ran this program.
	Apart []process.Identity
}

func (o Options) logger() *slog.Logger {
	if o.Logger == nil {
		return slog.New(slog.DiscardHandler)
	}
	return o.Logger
}

// A Mechanism is the part of a kernel that announces the fates of processes.
type Mechanism string

const (
	// AnyMechanism is the best one that works here.
	AnyMechanism Mechanism = ""
	// Kqueue announces forks, execs and exits of watched processes (macOS).
	Kqueue Mechanism = "kqueue"
	// ProcConnector names each child that is forked (Linux in the initial PID and
	// network namespaces, for other users than root since 6.6).
	ProcConnector Mechanism = "proc connector"
	// Pidfd announces exits only (Linux).
	Pidfd Mechanism = "pidfd"
)
