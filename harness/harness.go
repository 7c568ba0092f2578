// Package harness starts real processes for a test, makes each do one thing at a
// time, and knows which of them live. It is for tests of programs that follow
// other processes: monitors, supervisors, job control.
//
//	func TestDaemonOutlivesItsCommand(t *testing.T) {
//		tools, err := harness.Build(t.Context(), "puppet")
//		if err != nil {
//			t.Fatal(err)
//		}
//		t.Cleanup(func() { tools.Remove() })
//		stage := harness.NewStage(t, tools)
//
//		job := stage.Start("puppet", "owner") // a monitor's command line goes in front
//		owner := stage.Puppet(t.Context(), "owner")
//		daemon := owner.DoubleFork(t.Context(), "daemon", harness.Start{OwnSession: true})
//		owner.Exit(t.Context(), 0)
//		job.Wait(t.Context())
//
//		if !job.Oracle().Held() { // here a monitor must not report the end
//			t.Fatal("the oracle lost the daemon")
//		}
//		daemon.Exit(t.Context(), 0)
//		<-job.Oracle().Gone() // and here it must
//	}
//
// A [Stage] belongs to one test and has a private home, directory and environment.
// It starts jobs ([Stage.Start]), shells at pseudo-terminals ([Stage.Shell]) and
// short commands ([Stage.Run]). When the test ends, the stage ends all their
// processes. What survives that fails the test.
//
// A [Puppet] is a process that obeys the test: it forks, leads a session, execs,
// closes descriptors, exits. An [Oracle] reports whether any process lives that
// inherited a pipe from a job or a shell. It uses no process table and no PID.
//
// When a test fails, its stage reports what happened ([Stage.Report]): one timeline
// of all input, output, orders, answers and signals, the processes that live at
// that moment, the machine, and a command that repeats the test. It keeps the
// timeline as a trace for Perfetto and each terminal as an asciicast.
//
// The harness drives a monitor through its command line only. An [Observer] adds
// what the monitor records itself to the timeline.
package harness

import "time"

// A T is the running test. A *testing.T is one, and so is Ginkgo's GinkgoT().
type T interface {
	Helper()
	Cleanup(func())
	Failed() bool
	Logf(format string, args ...any)
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// patience is how long the harness waits for something that must happen. It only
// bounds a failure: what works takes a small part of it, even on a loaded machine.
const patience = 30 * time.Second
