package main

import (
	"syscall"
	"testing"

	"github.com/gemini-monitor/gemini/harness"
)

func TestMain(m *testing.M) { harness.Main(m) }

// A fixture is a stage with a daemon of its own.
type fixture struct{ *harness.Stage }

func newFixture(t *testing.T) fixture {
	t.Parallel()
	return fixture{harness.New(t, harness.Program("."))}
}

// words returns a command line of the program.
func (f fixture) words(command string) []string {
	return []string{"daemon", command, "-pid", f.Path("daemon.pid"), "-log", f.Path("daemon.log")}
}

func TestDaemonLivesOn(t *testing.T) {
	f := newFixture(t)
	start := f.Start(f.words("start")...)
	start.ExpectExit(0)
	members := start.Members()
	if start.Oracle().Held() || len(members) != 1 {
		t.Fatalf("the daemon holds descriptor 3, or is not found: %s", start.Census())
	}
	if at := members[0]; at.Session != at.PID {
		t.Errorf("the daemon has no session of its own: %s", at)
	}
	if status := f.Run(f.words("status")...); status.Status.Code != 0 {
		t.Error(status)
	}
	if stop := f.Run(f.words("stop")...); stop.Status.Code != 0 {
		t.Error(stop)
	}
	start.ExpectNobody()
}

func TestSecondDaemonIsRefused(t *testing.T) {
	f := newFixture(t)
	first := f.Start(f.words("start")...)
	first.ExpectExit(0)
	second := f.Start(f.words("start")...)
	second.Expect(harness.Pattern(`daemon: it runs, PID \d+`))
	second.ExpectExit(1)
	second.ExpectNobody()
	f.Run(f.words("stop")...)
	first.ExpectNobody()
}

func TestKilledDaemonIsNotRunning(t *testing.T) {
	f := newFixture(t)
	start := f.Start(f.words("start")...)
	start.ExpectExit(0)
	for _, member := range start.Members() {
		if err := f.Signal(member.PID, syscall.SIGKILL); err != nil {
			t.Error(err)
		}
	}
	start.ExpectNobody()
	if status := f.Run(f.words("status")...); status.Status.Code != 3 {
		t.Error(status)
	}
}
