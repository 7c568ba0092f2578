package resident

import (
	"errors"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"sync"
	"time"
)

// A Pair is a resident's side of the connection with its guard. The nil Pair is that of a
// resident without one: a service manager starts it anew.
type Pair struct {
	// Command returns the command line of a guard.
	Command func() *exec.Cmd

	mu    sync.Mutex
	alive *os.File // held open and written to; nil while there is no guard
	hold  *os.File
	pid   int
	ended bool
	over  chan struct{}  // closed when the pair is; made by watch, which comes before close
	going sync.WaitGroup // what waits for the end of the guard
}

// Inherited returns the pair of a resident that a guard has started. The caller sets its
// Command.
func Inherited() *Pair {
	return &Pair{alive: inherit(aliveFD, "alive"), hold: inherit(holdFD, "hold"), pid: os.Getppid()}
}

// PID returns the PID of the guard, 0 for none.
func (p *Pair) PID() int {
	if p == nil {
		return 0
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.pid
}

// watch starts a guard where there is none, and another one when it dies. The first one waits
// until begin is closed.
func (p *Pair) watch(log *slog.Logger, begin <-chan struct{}) {
	if p == nil {
		return
	}
	p.over = make(chan struct{})
	alone := p.hold == nil
	p.going.Go(func() {
		if alone {
			select {
			case <-begin:
			case <-p.over:
				return
			}
		}
		var deaths deaths
		for {
			hold, err := p.guarded()
			if err == nil && hold == nil {
				return
			}
			if err != nil {
				log.Warn("the resident monitor has no guard", "error", err)
				return
			}
			_, _ = io.Copy(io.Discard, hold) // until the guard ends
			if p.lost() {
				return
			}
			log.Warn("the guard of the resident monitor died")
			if !deaths.admit(time.Now()) {
				log.Warn("the resident monitor goes on without a guard, which died too often")
				return
			}
		}
	})
}

// guarded returns the pipe by which the end of the guard shows. It starts a guard where
// there is none. It returns nil where the pair is closed.
func (p *Pair) guarded() (*os.File, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ended {
		return nil, nil
	}
	if p.hold == nil {
		if err := p.start(); err != nil {
			return nil, err
		}
	}
	return p.hold, nil
}

func (p *Pair) start() error {
	theirAlive, alive, err := os.Pipe()
	if err != nil {
		return err
	}
	hold, theirHold, err := os.Pipe()
	if err != nil {
		return errors.Join(err, theirAlive.Close(), alive.Close())
	}
	cmd := p.Command()
	cmd.ExtraFiles = []*os.File{theirAlive, theirHold}
	err = cmd.Start()
	theirAlive.Close()
	theirHold.Close()
	if err != nil {
		return errors.Join(err, alive.Close(), hold.Close())
	}
	go func() { _ = cmd.Wait() }()
	p.alive, p.hold, p.pid = alive, hold, cmd.Process.Pid
	return nil
}

// lost notes that the guard has ended. It reports whether there is to be no other: the pair
// is closed.
func (p *Pair) lost() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.alive.Close()
	p.hold.Close()
	p.alive, p.hold, p.pid = nil, nil, 0
	return p.ended
}

// close tells the guard that the resident ends in good order, and closes the pipes.
func (p *Pair) close() {
	if p == nil {
		return
	}
	p.mu.Lock()
	p.ended = true
	if p.over != nil {
		close(p.over)
	}
	if p.alive != nil {
		_, _ = p.alive.Write([]byte{farewell})
		p.alive.Close()
		p.hold.Close()
	}
	p.mu.Unlock()
	p.going.Wait()
}
