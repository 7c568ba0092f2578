package monitor

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"sync"
	"syscall"
)

// A ToldError reports that a signal told the calling process to end before it became
// the command of a runtime. Nothing of the runtime is left.
type ToldError struct{ Signal syscall.Signal }

func (e *ToldError) Error() string { return fmt.Sprintf("told to end: %v", e.Signal) }

// An ear hears the signals that tell this process to end, in place of their default
// action. Signals that the process ignores stay ignored.
type ear struct {
	context.Context // ends with the first signal; its cause is the [ToldError]
	hear            context.CancelCauseFunc
	signals         chan os.Signal
	hearing         sync.WaitGroup
}

// newEar returns an ear that hears. The caller closes it.
func newEar() *ear {
	e := &ear{}
	e.Context, e.hear = context.WithCancelCause(context.Background())
	e.open()
	return e
}

func (e *ear) open() {
	if e.signals != nil {
		return // it hears
	}
	signals := make(chan os.Signal, 1)
	e.signals = signals
	signal.Notify(signals, heeded()...)
	e.hearing.Go(func() {
		for s := range signals {
			e.hear(&ToldError{s.(syscall.Signal)})
		}
	})
}

// heeded are the signals by which users, terminals and supervisors end a program. A
// shell without job control has its background jobs ignore SIGINT and SIGQUIT
// together.
func heeded() []os.Signal {
	signals := []os.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT}
	return slices.DeleteFunc(signals, signal.Ignored)
}

// close gives the signals their default action again. It returns the [ToldError] where
// one came before: after close each signal has either been heard or ends the process.
func (e *ear) close() error {
	if e.signals != nil {
		signal.Stop(e.signals)
		close(e.signals)
		e.hearing.Wait()
		e.signals = nil
	}
	if e.Err() != nil {
		return context.Cause(e)
	}
	return nil
}
