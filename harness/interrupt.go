//go:build darwin || linux

package harness

import (
	"flag"
	"fmt"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// interrupts reports the stages of a run that a signal ends.
var interrupts watch

// A watch has the stages of running tests. It waits for a signal while there are any.
type watch struct {
	mu      sync.Mutex
	stages  []*Stage
	signals chan os.Signal // nil without stages
}

// add adds a stage. Ginkgo heeds signals itself, and cleans up.
func (w *watch) add(s *Stage) {
	if flag.Lookup("ginkgo.seed") != nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stages = append(w.stages, s)
	if w.signals != nil {
		return
	}
	w.signals = make(chan os.Signal, 1)
	for _, sig := range []os.Signal{syscall.SIGINT, syscall.SIGTERM} {
		if !signal.Ignored(sig) { // as under nohup
			signal.Notify(w.signals, sig)
		}
	}
	go w.wait(w.signals)
}

// remove removes a stage that was cleared.
func (w *watch) remove(s *Stage) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := range w.stages {
		if w.stages[i] == s {
			w.stages = append(w.stages[:i:i], w.stages[i+1:]...)
			break
		}
	}
	if len(w.stages) == 0 && w.signals != nil {
		signal.Stop(w.signals)
		close(w.signals)
		w.signals = nil
	}
}

// wait reports at the first signal, and sends it again. It ends the process then, unless
// the tests heed it themselves. The wardens end the processes of the stages and remove
// their directories.
func (w *watch) wait(signals chan os.Signal) {
	sig, ok := <-signals
	if !ok {
		return
	}
	w.mu.Lock()
	stages := w.stages[:len(w.stages):len(w.stages)]
	w.mu.Unlock()
	for _, s := range stages {
		if !s.explained.Swap(true) {
			text := fmt.Sprintf("the test run gets %s", unix.SignalName(sig.(syscall.Signal)))
			s.Failed(text)
			fmt.Fprintf(os.Stderr, "harness: %s\n%s", text, s.Report())
		}
	}
	signal.Stop(signals)
	_ = syscall.Kill(os.Getpid(), sig.(syscall.Signal))
}
