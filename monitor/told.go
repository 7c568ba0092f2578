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
	end             chan struct{} // closed to end the hearing; nil while it does not hear
	hearing         sync.WaitGroup
}

// newEar returns an ear that hears. The caller closes it.
func newEar() *ear {
	e := &ear{}
	e.Context, e.hear = context.WithCancelCause(context.Background())
	e.open()
	return e
}

// open begins to hear. For each signal that is enabled or disabled, os/signal exchanges two
// words with a goroutine that is locked to its thread. Here one does that which is not locked,
// as the caller may be: between two that are, each word takes four changes of threads.
func (e *ear) open() {
	if e.end != nil {
		return // it hears
	}
	hears, end := make(chan struct{}), make(chan struct{})
	e.end = end
	e.hearing.Go(func() {
		signals := make(chan os.Signal, 1)
		notify(signals, heeded())
		close(hears)
		e.listen(signals, end)
	})
	<-hears
}

// notify has signals sent to a channel. Of none it has none sent, for which os/signal would
// send all, those of Go's runtime among them.
func notify(to chan<- os.Signal, which []os.Signal) {
	if len(which) > 0 {
		signal.Notify(to, which...)
	}
}

// listen hears until the end, and all that came before.
func (e *ear) listen(signals chan os.Signal, end <-chan struct{}) {
	for {
		select {
		case s := <-signals:
			e.hear(&ToldError{s.(syscall.Signal)})
		case <-end:
			signal.Stop(signals)
			close(signals)
			for s := range signals {
				e.hear(&ToldError{s.(syscall.Signal)})
			}
			return
		}
	}
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
	if e.end != nil {
		close(e.end)
		e.hearing.Wait()
		e.end = nil
	}
	if e.Err() != nil {
		return context.Cause(e)
	}
	return nil
}
