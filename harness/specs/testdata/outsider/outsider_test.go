// Package outsider has the tests of another module. The specs of run_test.go compile it and
// run it as a process.
package outsider

import (
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/gemini-monitor/gemini/harness"
)

func TestMain(m *testing.M) {
	if os.Getenv("WITHOUT_MAIN") != "" {
		os.Exit(m.Run())
	}
	harness.Main(m)
}

// sleepers starts processes of all kinds, and prints their PIDs.
func sleepers(t *testing.T) {
	stage := harness.New(t)
	job := stage.Start("sh", "-c", "env -i sleep 88 >/dev/null 2>&1 3>&- & puppet owner; :")
	owner := stage.Puppet("owner")
	leaf := owner.DoubleFork("leaf", harness.OwnSession)
	leaf.CloseInherited()
	term := stage.Terminal("puppet", "leader")
	stage.Puppet("leader").IgnoreHangup()
	members := job.Members()
	for !slices.ContainsFunc(members, func(m harness.Member) bool { return m.Command == "sleep 88" }) { // after its exec
		members = job.Members()
	}
	pids := []int{leaf.PID(), term.PID()}
	for _, m := range members {
		pids = append(pids, m.PID)
	}
	fmt.Println("PIDS", pids)
}

func TestHangs(t *testing.T) {
	sleepers(t)
	select {}
}

func TestWaits(t *testing.T) {
	stage := harness.New(t)
	stage.Start("sleep", "88").Wait()
}

func TestLeaves(t *testing.T) {
	stage := harness.New(t, harness.Grace(200*time.Millisecond))
	stage.Start("true").ExpectExit(0)
	stage.Run("sh", "-c", "env -i sleep 88 >/dev/null 2>&1 &")                      // a line that TestLeaves fails at
	stage.Start("sh", "-c", "env -i sleep 88 >/dev/null 2>&1 3>&- &").ExpectExit(0) // a line that TestLeaves fails at
	stage.Start("true").ExpectExit(0)
}

func TestFailsAndLeaves(t *testing.T) {
	stage := harness.New(t) // the line of the mention
	stage.Start("sh", "-c", "env -i sleep 88 >/dev/null 2>&1 3>&- &").ExpectExit(0)
	t.Error("failed before")
}

func TestPanics(t *testing.T) {
	stage := harness.New(t)
	stage.Start("puppet", "owner")
	stage.Puppet("owner")
	var nothing *struct{ name string }
	t.Log(nothing.name) // the line that panics
}

func TestCoverage(t *testing.T) {
	stage := harness.New(t)
	fmt.Print("DIR ", stage.Run("sh", "-c", "echo $GOCOVERDIR").Stdout)
}

func TestTags(t *testing.T) {
	stage := harness.New(t, harness.Program("./testdata/outsider/tool"))
	fmt.Print("BUILT ", stage.Run("tool").Stdout)
}

func TestParallel(t *testing.T) {
	for i := range 8 {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			stage := harness.New(t)
			job := stage.Start("puppet", "root")
			root := stage.Puppet("root")
			leaf := root.DoubleFork("leaf", harness.OwnSession)
			if members := job.Members(); len(members) != 2 {
				t.Errorf("members: %v", members)
			}
			if strangers, err := stage.Strangers(); err != nil || len(strangers) > 1 { // the process between
				t.Errorf("strangers: %v, %v", strangers, err)
			}
			leaf.Exit(0)
			root.Exit(0)
			job.ExpectNobody()
		})
	}
}
