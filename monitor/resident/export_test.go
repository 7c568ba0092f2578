package resident

import (
	"errors"
	"log/slog"
	"os"
	"runtime/debug"
	"time"

	"github.com/gemini-monitor/gemini/monitor"
)

// The names that the specs use.

const (
	MaxLog     = maxLog
	MaxDeaths  = maxDeaths
	DeathTime  = deathWindow
	Welcome    = welcome
	FewTimes   = fewTimes
	Quick      = quick
	SweepBeat  = sweepBeat
	LogName    = logFile
	LockName   = lockFile
	SocketName = socketFile
	FailedName = failedFile

	MethodWatch    = methodWatch
	MethodLeave    = methodLeave
	MethodAdopt    = methodAdopt
	MethodStatus   = methodStatus
	MethodWhich    = methodWhich
	MethodRoute    = methodRoute
	MethodJoin     = methodJoin
	MethodHandOver = methodHandOver

	InterfaceName = interfaceName

	ErrorForeign = errorForeign

	ErrorUnwatched = errorUnwatched
	ErrorOlder     = errorOlder
	ErrorLeaving   = errorLeaving
	ErrorFailed    = errorFailed
)

var (
	ErrLeaving  = errLeaving
	ErrReplaced = errReplaced
)

func Older(one, other string) bool                   { return older(one, other) }
func Refusal(err error) error                        { return refusal(err) }
func Explain(err error) error                        { return explain(err) }
func SocketPath(s *monitor.Store) string             { return socketPath(s) }
func Together(first, second []Finding) []Finding     { return together(first, second) }
func LockPath(s *monitor.Store) string               { return lockPath(s) }
func FailedPath(s *monitor.Store) string             { return failedPath(s) }
func TryLock(s *monitor.Store) (*os.File, error)     { return tryLock(s) }
func StillLocked(s *monitor.Store, f *os.File) error { return stillLocked(s, f) }
func (c Card) Write(lock *os.File) error             { return c.write(lock) }

// KeepVigil returns what ends the vigil.
func KeepVigil(dir string, changed func()) (func(), error) {
	v, err := keepVigil(dir, changed)
	return v.Close, err
}

// Watch and Close are what a server does.
func (p *Pair) Watch(log *slog.Logger, begin <-chan struct{}) { p.watch(log, begin) }
func (p *Pair) Close()                                        { p.close() }

type Deaths struct{ deaths }

func (d *Deaths) Admit(now time.Time) bool { return d.admit(now) }

// Patience is that of a server.
func Patience(idle time.Duration, asked bool, served time.Duration) time.Duration {
	s := &server{Options: Options{Idle: idle}, asked: asked}
	return s.patience(served)
}

// Close closes the log of this process.
func (l *LogFile) Close() error {
	return errors.Join(debug.SetCrashOutput(nil, debug.CrashOptions{}), l.file.Close())
}

// Idling returns how many connections a router keeps that no call uses.
func Idling(r *Router) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.idle)
}

// A Shift is work that is done each time that it is called for.
type Shift struct{ shift }

func (s *Shift) Begin(work func() (over bool)) { s.begin(work) }
func (s *Shift) Call()                         { s.call() }

// Going reports whether the work is being done, or called for.
func (s *Shift) Going() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.going
}

// Over reports whether the work is not done any more.
func (s *Shift) Over() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.work == nil
}
