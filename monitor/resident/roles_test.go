//go:build darwin || linux

package resident_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gemini-monitor/gemini/internal/detach"
	"github.com/gemini-monitor/gemini/internal/unixsocket"
	"github.com/gemini-monitor/gemini/internal/varlink"
	"github.com/gemini-monitor/gemini/monitor"
	"github.com/gemini-monitor/gemini/monitor/resident"
	"github.com/gemini-monitor/gemini/tracker"
)

// The test binary is also every other program that the specs need. It plays a role where
// the first argument names one. The second is the directory of a store.
const rolePrefix = "as-"

func TestMain(m *testing.M) {
	// By default the race detector waits a second at exit, in each process.
	os.Setenv("GORACE", "atexit_sleep_ms=0")
	if len(os.Args) > 2 {
		if role, ok := strings.CutPrefix(os.Args[1], rolePrefix); ok {
			if err := play(role, os.Args[2], os.Args[3:]); err != nil {
				fmt.Fprintln(os.Stderr, err)
				os.Exit(1)
			}
			os.Exit(0)
		}
	}
	os.Exit(m.Run())
}

var roles map[string]func(s *monitor.Store, args []string) error

func init() { // the roles name each other
	roles = map[string]func(s *monitor.Store, args []string) error{
		"launcher":   playLauncher,
		"resident":   playResident,
		"guarded":    playGuarded,
		"guard":      playGuard,
		"foreground": playForeground,
		"mortal":     playMortal,
		"asker":      playAsker,
		"owner":      playOwner,
		"monitor":    playMonitor,
		"alone":      playAlone,
		"launch-own": playLaunchOwn,
	}
}

func play(role, dir string, args []string) error {
	s, err := monitor.Open(dir)
	if err != nil {
		return err
	}
	return roles[role](s, args)
}

// as returns the command line of a role.
func as(role string, s *monitor.Store, args ...string) []string {
	self, err := os.Executable()
	if err != nil {
		panic(err)
	}
	return append([]string{self, rolePrefix + role, s.Dir()}, args...)
}

// half returns the command of the other half of a pair.
func half(role string, s *monitor.Store, args []string) func() *exec.Cmd {
	return func() *exec.Cmd {
		argv := as(role, s, args...)
		cmd := exec.Command(argv[0], argv[1:]...)
		cmd.Stderr = os.Stderr
		detach.Outside(cmd)
		return cmd
	}
}

// playLauncher starts a resident with a guard: IDLE VERSION [mortal].
func playLauncher(s *monitor.Store, args []string) error {
	return detach.Launch(as("resident", s, args...))
}

// serveAs serves until SIGTERM, with the log of a resident: IDLE VERSION.
func serveAs(s *monitor.Store, o resident.Options, args []string) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	if err := detach.Settle(); err != nil {
		return err
	}
	var err error
	if o.Idle, err = time.ParseDuration(args[0]); err != nil {
		return err
	}
	if err := s.Make(); err != nil {
		return err
	}
	out, err := resident.OpenLog(resident.LogPath(s))
	if err != nil {
		return err
	}
	o.Store, o.Version, o.Log = s, args[1], slog.New(slog.NewTextHandler(out, nil))
	o.RuntimeLog = func(r *monitor.Runtime) *slog.Logger { return slog.New(slog.NewTextHandler(r.LogWriter(), nil)) }
	return resident.Serve(ctx, o)
}

func playResident(s *monitor.Store, args []string) error {
	waiting, err := detach.Arrive()
	if err != nil {
		return err
	}
	o := resident.Options{Lock: waiting.Passed, Ready: waiting.Ready, Guard: &resident.Pair{Command: half("guard", s, args)}}
	if err := serveAs(s, o, args); err != nil {
		waiting.Refuse(err)
		return err
	}
	return nil
}

func playGuarded(s *monitor.Store, args []string) error {
	o := resident.Options{Guard: resident.Inherited()}
	o.Guard.Command = half("guard", s, args)
	return serveAs(s, o, args)
}

// playGuard guards a resident. Where there is a third argument, that is the role of those
// that it starts: IDLE VERSION [ROLE].
func playGuard(s *monitor.Store, args []string) error {
	out, err := resident.OpenLog(resident.LogPath(s))
	if err != nil {
		return err
	}
	role := "guarded"
	if len(args) > 2 {
		role = args[2]
	}
	g := &resident.Guard{Store: s, Command: half(role, s, args), Log: slog.New(slog.NewTextHandler(out, nil))}
	return g.Run()
}

// playMortal dies at once, as a resident does that has a defect.
func playMortal(*monitor.Store, []string) error { return errors.New("no luck today") }

// playForeground serves without a guard, and writes a line when it answers: IDLE VERSION.
func playForeground(s *monitor.Store, args []string) error {
	ready := func() error {
		_, err := fmt.Println("ready")
		return err
	}
	return serveAs(s, resident.Options{Ready: ready}, args)
}

// A call is a request that an asker is to make, and its outcome.
type call struct {
	Method string
	In     json.RawMessage
	// HangUp has the asker read no answer. It says that it has sent the request, and closes
	// the connection when it reads the next line.
	HangUp bool `json:",omitempty"`
}

type outcome struct {
	Out    json.RawMessage `json:",omitempty"`
	Name   string          `json:",omitempty"` // of the error
	Reason string          `json:",omitempty"`
}

// playAsker makes the requests that it reads, each over a connection of its own, until its
// input ends.
func playAsker(s *monitor.Store, _ []string) error {
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		var c call
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			return err
		}
		if err := say(request(s, c, lines)); err != nil {
			return err
		}
	}
	return lines.Err()
}

func say(o outcome) error { return json.NewEncoder(os.Stdout).Encode(o) }

// request makes one request.
func request(s *monitor.Store, c call, lines *bufio.Scanner) (o outcome) {
	ctx, done := context.WithTimeout(context.Background(), time.Minute)
	defer done()
	conn, err := unixsocket.Dial(ctx, resident.SocketPath(s))
	if err != nil {
		return outcome{Name: "dial", Reason: err.Error()}
	}
	defer conn.Close()
	if c.HangUp {
		_, err = fmt.Fprintf(conn, `{"method":%q,"parameters":%s}`+"\x00", c.Method, c.In)
		err = errors.Join(err, say(outcome{}))
		lines.Scan()
	} else {
		err = varlink.Call(ctx, conn, c.Method, c.In, &o.Out)
	}
	if failed, ok := errors.AsType[*varlink.Error](err); ok {
		return outcome{Name: failed.Name, Reason: failed.Reason()}
	} else if err != nil {
		return outcome{Name: "call", Reason: err.Error()}
	}
	return o
}

// clientOf returns a client whose residents have some idle time and version.
func clientOf(s *monitor.Store, idle time.Duration, version string, more ...string) *resident.Client {
	return &resident.Client{
		Store: s, Version: version,
		Command: as("launcher", s, append([]string{idle.String(), version}, more...)...),
		Own:     monitor.OwnMonitor{Command: func(name string) []string { return as("launch-own", s, name) }},
	}
}

// playOwner becomes a shell that reads its standard input to the end, in a runtime: NAME
// IDLE VERSION.
func playOwner(s *monitor.Store, args []string) error {
	idle, err := time.ParseDuration(args[1])
	if err != nil {
		return err
	}
	c := clientOf(s, idle, args[2])
	c.Tell = func(text string) { fmt.Fprintln(os.Stderr, text) }
	argv := []string{"sh", "-c", "echo runs; cat >/dev/null"}
	return s.Run(monitor.Creation{Name: args[0], Command: argv}, monitor.Program{
		Path: "/bin/sh", Args: argv, Keeper: c, Patience: time.Minute,
	})
}

// playLaunchOwn starts the monitor of one runtime: NAME.
func playLaunchOwn(s *monitor.Store, args []string) error {
	return detach.Launch(as("monitor", s, args...))
}

// playMonitor is the monitor of one runtime: NAME.
func playMonitor(s *monitor.Store, args []string) error {
	waiting, err := detach.Arrive()
	if err != nil {
		return err
	}
	if err = watchOne(s, args[0], waiting.Ready); err != nil {
		waiting.Refuse(err)
	}
	return err
}

// playAlone is the monitor of one runtime, and writes a line when it watches: NAME.
func playAlone(s *monitor.Store, args []string) error {
	return watchOne(s, args[0], func() error {
		_, err := fmt.Println("ready")
		return err
	})
}

// watchOne watches one runtime, and calls ready when it does.
func watchOne(s *monitor.Store, name string, ready func() error) error {
	r, err := s.Runtime(name)
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
		return err
	}
	return errors.Join(ready(), w.Run(context.Background()))
}
