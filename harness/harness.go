// Package harness makes processes behave, and knows the truth about them: real
// shells at pseudo-terminals, puppets that do one thing when told, and an
// oracle that says whether any of them still lives. It drives a monitor from
// outside, through its command line, and knows no monitor's inside.
//
// A Stage is where one spec plays: a private home, store and environment. All
// that was started there is ended with it, and whatever would be left behind
// is an error of the spec.
//
// When a spec fails its stage tells what happened: one timeline of all that
// was typed, shown, told, answered, signalled and journalled, who lives at that
// moment, the machine, and a line that tries again. It is kept as a trace for
// Perfetto too, with an asciicast of each terminal (Stage.Report).
package harness

import "time"

// A T is the running test, as testing.T and GinkgoT() are.
type T interface {
	Helper()
	Cleanup(func())
	Failed() bool
	Logf(format string, args ...any)
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// patience is how long the harness waits for what must come. It only bounds a
// failure: nothing that works takes anywhere near so long, not even on a
// loaded machine.
const patience = 30 * time.Second
