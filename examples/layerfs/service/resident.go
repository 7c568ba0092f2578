package service

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"

	"github.com/gemini-monitor/gemini/monitor"
	"github.com/gemini-monitor/gemini/monitor/resident"
)

// residentClient returns the client of the resident monitor of the store. The program that
// starts one is monitor, in the directory of this program or in PATH.
func (p Place) residentClient() (*resident.Client, error) {
	program, err := findMonitor()
	if err != nil {
		return nil, err
	}
	return &resident.Client{
		Store: p.Store, Own: noOther{},
		Command: []string{program, "--store", p.Store.Dir(), "serve", "--detach", "--idle", cmp.Or(os.Getenv("MONITOR_IDLE"), "10s")},
	}, nil
}

func findMonitor() (string, error) {
	const name = "monitor"
	if self, err := os.Executable(); err == nil {
		if beside, err := exec.LookPath(filepath.Join(filepath.Dir(self), name)); err == nil {
			return beside, nil
		}
	}
	path, err := exec.LookPath(name)
	if err == nil {
		path, err = filepath.Abs(path)
	}
	if err != nil {
		return "", fmt.Errorf("the program of the resident monitor: %w", err)
	}
	return path, nil
}

// A noOther watches nothing: the service asks the resident monitor, and no other.
type noOther struct{}

// Watch implements [monitor.Keeper].
func (noOther) Watch(_ context.Context, r *monitor.Runtime) error {
	return fmt.Errorf("the resident monitor does not watch runtime %q; its log is resident.log in the store", r.Name())
}

// Leave implements [monitor.Keeper].
func (noOther) Leave(context.Context, *monitor.Runtime) {}

// runtimes returns those that have layers, with the members by their journals.
func (a *asking) runtimes(context.Context) ([]Runtime, error) {
	survey, err := a.Place.Store.Survey()
	if err != nil {
		return nil, err
	}
	all, err := survey.All()
	if err != nil {
		return nil, err
	}
	list := []Runtime{}
	for _, status := range all {
		r, err := a.Place.Store.Runtime(status.Name)
		if err == nil && hasPayload(r) {
			list = append(list, a.runtime(r, status))
		}
	}
	return list, nil
}

func (a *asking) runtime(r *monitor.Runtime, status monitor.Status) Runtime {
	one := Runtime{Name: r.Name(), Owner: status.Owner, Members: []int{}}
	for _, m := range status.Members {
		one.Members = append(one.Members, m.PID)
	}
	payload, err := readPayload(r)
	one.Edit, one.Layers = payload.Edit, payload.Layers
	if l := a.shown.find(resident.Place{Name: r.Name(), Owner: status.Owner}); l != nil && err == nil {
		select {
		case <-l.known:
			err = l.broken
		default:
		}
	}
	switch {
	case err != nil:
		one.Broken = err.Error()
	case status.State == monitor.StateUnmonitored || status.State == monitor.StateBroken:
		one.Broken = cmp.Or(status.Reason, string(status.State))
	}
	return one
}

func (a *asking) stop(ctx context.Context, force bool) {
	all, err := a.runtimes(ctx)
	if err != nil {
		a.Log.Error("the store cannot be read", "error", err)
	}
	for _, one := range all {
		r, err := a.Place.Store.Runtime(one.Name)
		if err != nil {
			continue
		}
		if force {
			if err := a.stopOne(ctx, r); err != nil {
				a.Log.Warn("a runtime is not stopped", "runtime", one.Name, "error", err)
			}
		}
		if force || len(one.Members) == 0 {
			limited, done := context.WithTimeout(ctx, emptying)
			_ = a.Place.Store.Await(limited, monitor.Wait{Name: one.Name, Owner: one.Owner})
			done()
		}
	}
}

// stopOne ends the members of a runtime, by another resident where that one has died.
func (a *asking) stopOne(ctx context.Context, r *monitor.Runtime) error {
	_, err := resident.Stop(ctx, a.Place.Store, r, syscall.SIGTERM, grace)
	if errors.Is(err, resident.ErrUnwatched) {
		if err = a.wake(ctx); err == nil {
			_, err = resident.Stop(ctx, a.Place.Store, r, syscall.SIGTERM, grace)
		}
	}
	return err
}
