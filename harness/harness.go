// Package harness starts real processes for a test, makes each do one thing at a time,
// and answers the question whether any process of a tree still lives. It is for tests of
// programs that start, follow or end other processes: supervisors, shells, daemons,
// monitors, and of programs at a terminal.
//
//	func TestMain(m *testing.M) { harness.Main(m) }
//
//	func TestDaemonOutlivesItsCommand(t *testing.T) {
//		stage := harness.New(t)
//		job := stage.Start("puppet", "owner") // the program under test goes in front
//		owner := stage.Puppet("owner")
//		daemon := owner.DoubleFork("daemon", harness.OwnSession)
//		owner.Exit(0)
//		job.ExpectExit(0)
//
//		if job.Alive() != harness.Yes { // the daemon
//			t.Fatal(job.Census())
//		}
//		daemon.Exit(0)
//		job.ExpectNobody()
//	}
//
// TestMain makes the test binary a program of several roles: besides the tests it can be a
// puppet or a warden. Nothing is built for that, and nothing is installed. [Program] builds
// the programs under test and puts them into the PATH.
//
// # Words
//
//   - A stage ([Stage]) belongs to one test. It has a private directory, home and
//     environment: of the test's own environment only PATH is passed on. When the test ends, the stage ends the trees whose commands still run
//     (SIGTERM, then SIGKILL) and all puppets. What a command that had ended before has
//     left, and what cannot be ended or removed, fails the test.
//   - A tree ([Tree]) is a command that a stage started, with all its descendants: a [Job]
//     has no terminal, a [Terminal] has one, a [Shell] is a terminal with a prompt.
//     What the test starts itself, by os/exec for example, is no part of a stage.
//   - A puppet ([Puppet]) is a process that obeys the test: it forks, leads a session,
//     execs, closes descriptors, stops, exits. "puppet NAME" is a command on each stage.
//   - A warden is the process between the tests and a tree. It is the parent of the
//     command. On Linux it adopts the orphans of the tree, so it knows whether there is a
//     descendant.
//   - A witness is what an answer comes from. [Tree.Census] asks all witnesses and says
//     which one has answered: yes, no or unknown.
//   - An oracle ([Oracle]) is the witness that uses neither the process table nor a PID: a
//     pipe that the command holds at descriptor 3 and passes on to its descendants. Shells
//     and Go programs pass it on, but for children that get ExtraFiles. Python, Java and
//     sudo close it.
//
// # Waiting
//
// No method waits for a fixed time. Each one waits for what it names, for 30 s at most
// ([Stage.Within] and its like set another limit), and fails the test when that does not come. Shortly before
// the time of go test is over, a stage reports and ends everything. If SIGINT or SIGTERM ends a
// run, the stages report before. (Ginkgo heeds these signals itself.) However a run ends, its
// processes end, and its temporary directory is removed.
//
// # Reports
//
// When a test fails, its stage reports what happened ([Stage.Report]): one timeline of all
// input, output, orders, answers and signals, the processes that live at that moment, the
// screens, the machine, and a command that repeats the test. It keeps the timeline as a
// trace for Perfetto and speedscope, and each terminal as an asciicast. The files go into
// HARNESS_REPORTS, else into the artifact directory of the test, else into out/failures of
// the module, which keeps the newest 100 reports.
//
// # Environment
//
//   - HARNESS_REPORTS: a directory for reports.
//   - HARNESS_PROGRAMS: a directory with programs, which are not built then.
//   - HARNESS_EXEC: a command that runs the programs, as with go test -exec.
//
// The harness runs on Linux and macOS, as any user, with -race and in parallel tests.
package harness

import "time"

// A T is the running test. A *testing.T is one, and so is Ginkgo's GinkgoT().
type T interface {
	Helper()
	Cleanup(func())
	Failed() bool
	Skipf(format string, args ...any)
	Logf(format string, args ...any)
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// patience is how long the harness waits for something that must happen. It only
// bounds a failure: what works takes a small part of it, even on a loaded machine.
const patience = 30 * time.Second
