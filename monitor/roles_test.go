//go:build darwin || linux

package monitor_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gemini-monitor/gemini/internal/detach"
	"github.com/gemini-monitor/gemini/monitor"
	"github.com/gemini-monitor/gemini/tracker"
)

// The test binary is also every other program that the specs need. It plays a
// role where the first argument names one.
const rolePrefix = "as-"

func TestMain(m *testing.M) {
	// By default the race detector waits a second at exit, in each process.
	os.Setenv("GORACE", "atexit_sleep_ms=0")
	if len(os.Args) > 1 {
		if role, ok := strings.CutPrefix(os.Args[1], rolePrefix); ok {
			if err := roles[role](os.Args[2:]); err != nil {
				fmt.Fprintln(os.Stderr, err)
				os.Exit(1)
			}
			os.Exit(0)
		}
	}
	os.Exit(m.Run())
}

var roles map[string]func(args []string) error

func init() { // the roles name each other
	roles = map[string]func(args []string) error{
		"remover": playRemover,
		"cleaner": playCleaner,
		"owner":   playOwner,
		"starter": playStarter,
		"founder": playFounder,
		"maker":   playMaker,
		"parent":  playParent,
		"monitor": playMonitor,
		"cramped": playCramped,
		"scribe":  playScribe,
		"logger":  playLogger,
		"clerk":   playClerk,
		"miser":   playMiser,
		"pauper":  playPauper,
		"spender": playSpender,
	}
}

// playRemover removes the runtime NAME of a store: DIR NAME.
func playRemover(args []string) error {
	r, err := runtimeOf(args)
	if err != nil {
		return err
	}
	return r.Remove()
}

// playCleaner removes runtimes with read-only directories while the store is being
// swept all the time: DIR.
func playCleaner(args []string) (err error) {
	s, err := monitor.Open(args[0])
	if err != nil {
		return err
	}
	var sweeper sync.WaitGroup
	stop := make(chan struct{})
	defer sweeper.Wait()
	defer close(stop)
	sweeper.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				s.Sweep()
			}
		}
	})
	for range 50 {
		r, err := s.Create(monitor.Creation{Name: "build"})
		if err != nil {
			return err
		}
		for i := range 10 {
			door := filepath.Join(r.Root(), strconv.Itoa(i))
			err = errors.Join(err, os.MkdirAll(filepath.Join(door, "inner"), 0o700), os.Chmod(door, 0o500))
		}
		if err := errors.Join(err, r.Remove()); err != nil {
			return err
		}
	}
	return nil
}

func runtimeOf(args []string) (*monitor.Runtime, error) {
	s, err := monitor.Open(args[0])
	if err != nil {
		return nil, err
	}
	return s.Runtime(args[1])
}

// How a monitor behaves.
const (
	asMeant   = "as meant"
	exits     = "exits"      // without a report
	refuses   = "refuses"    // with an error
	stuck     = "stuck"      // never reports that it is ready
	late      = "late"       // reports first when no process reads any more
	neverBorn = "never born" // the process that is to start it hangs
)

// conductedBy returns the command lines of monitors with a conduct.
func conductedBy(conduct, dir string) func(name string) []string {
	self, err := os.Executable()
	if err != nil {
		panic(err)
	}
	return func(name string) []string { return []string{self, rolePrefix + "parent", dir, name, conduct} }
}

// playOwner runs a command as a runtime: DIR NAME PATH ARG...
func playOwner(args []string) error {
	return playStarter(append([]string{asMeant, time.Minute.String()}, args...))
}

// playStarter runs a command as a runtime, under a monitor with a conduct:
// CONDUCT PATIENCE DIR NAME PATH ARG...
func playStarter(args []string) error {
	patience, err := time.ParseDuration(args[1])
	if err != nil {
		return err
	}
	s, err := monitor.Open(args[2])
	if err != nil {
		return err
	}
	return become(s, monitor.Program{
		Path: args[4], Args: args[4:],
		Keeper: monitor.OwnMonitor{Command: conductedBy(args[0], args[2])}, Patience: patience,
	}, args[3])
}

// playFounder starts a process that makes a runtime, and ends before it: DIR NAME.
func playFounder(args []string) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	maker := exec.Command(self, append([]string{rolePrefix + "maker"}, args...)...)
	maker.Stdin, maker.Stderr = os.Stdin, os.Stderr
	return maker.Start()
}

// playMaker makes a runtime of its own process when its input ends: DIR NAME.
func playMaker(args []string) error {
	if _, err := io.ReadAll(os.Stdin); err != nil {
		return err
	}
	s, err := monitor.Open(args[0])
	if err != nil {
		return err
	}
	_, err = s.Create(monitor.Creation{Name: args[1]})
	return err
}

// become makes a runtime of this process, which becomes a program.
func become(s *monitor.Store, p monitor.Program, name string) error {
	return s.Run(monitor.Creation{Name: name, Command: p.Args}, p)
}

// playParent starts the monitor: DIR NAME CONDUCT.
func playParent(args []string) error {
	if args[2] == neverBorn {
		signIn(args[0])
		return linger(args[0])
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	return detach.Launch(append([]string{self, rolePrefix + "monitor"}, args...))
}

// playMonitor watches a runtime, or does worse: DIR NAME CONDUCT.
func playMonitor(args []string) error {
	signIn(args[0])
	switch args[2] {
	case exits:
		return nil
	case late:
		if err := linger(args[0]); err != nil {
			return err
		}
	}
	owner, err := detach.Arrive()
	if err != nil {
		return err
	}
	switch args[2] {
	case refuses:
		owner.Refuse(errors.New("no luck today"))
		return nil
	case stuck:
		return linger(args[0])
	}
	return watchFor(owner, args)
}

// watchFor watches a runtime and reports to its owner.
func watchFor(owner *detach.Arrival, args []string) error {
	r, err := runtimeOf(args)
	if err != nil {
		return err
	}
	t, err := tracker.New(tracker.Options{})
	if err != nil {
		return err
	}
	defer t.Close()
	w, err := r.Attach(context.Background(), t, monitor.Options{})
	if err != nil {
		owner.Refuse(err)
		return err
	}
	return errors.Join(owner.Ready(), w.Run(context.Background()))
}

// Beside the store lie a list of all monitors that were started, and a FIFO that a
// lingering monitor reads.
const (
	guestBook = "monitors"
	fifo      = "fifo"
)

func signIn(store string) {
	book, err := os.OpenFile(filepath.Join(filepath.Dir(store), guestBook), os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err == nil {
		fmt.Fprintln(book, strconv.Itoa(os.Getpid()))
		err = book.Close()
	}
	if err != nil {
		panic(err)
	}
}

func linger(store string) error {
	_, err := os.ReadFile(filepath.Join(filepath.Dir(store), fifo))
	return err
}
