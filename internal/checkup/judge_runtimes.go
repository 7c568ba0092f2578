package checkup

import (
	"fmt"
	"strings"

	"github.com/gemini-monitor/gemini/monitor"
)

// judgeRuntimes is about the runtimes of the store: how many there are, and those that are
// not simply watched.
func judgeRuntimes(f Facts) []Finding {
	if f.Store.Err != nil {
		return nil
	}
	if err := f.Runtimes.Err; err != nil {
		return one(Note, "runtimes", "they cannot be listed: "+text(err), "", "")
	}
	findings := one(OK, "runtimes", tally(f.Runtimes.All), "", "")
	for _, judge := range []func([]monitor.Status, Facts) []Finding{judgeUnmonitored, judgeUnknown, judgeBroken, judgeStopping} {
		findings = append(findings, judge(f.Runtimes.All, f)...)
	}
	return findings
}

// states are in the order of a life.
var states = []monitor.State{
	monitor.StateStarting, monitor.StateRunning, monitor.StateUnmonitored, monitor.StateStopping, monitor.StateIdle, monitor.StateUnknown, monitor.StateBroken,
}

func tally(all []monitor.Status) string {
	if len(all) == 0 {
		return "none"
	}
	numbers := make(map[monitor.State]int)
	for _, s := range all {
		numbers[s.State]++
	}
	var words []string
	for _, state := range states {
		if n := numbers[state]; n > 0 {
			words = append(words, fmt.Sprintf("%d %s", n, state))
			delete(numbers, state)
		}
	}
	for state, n := range numbers { // of a newer version
		words = append(words, fmt.Sprintf("%d %s", n, state))
	}
	return strings.Join(words, ", ")
}

// in returns the runtimes in a state that have a reason, or all of them.
func in(all []monitor.Status, state monitor.State, reasoned bool) (names, reasons []string) {
	for _, s := range all {
		if s.State == state && (s.Reason != "" || !reasoned) {
			names = append(names, s.Name)
			reasons = append(reasons, s.Name+" ("+s.Reason+")")
		}
	}
	return names, reasons
}

func judgeUnmonitored(all []monitor.Status, f Facts) []Finding {
	names, _ := in(all, monitor.StateUnmonitored, false)
	if len(names) == 0 {
		return nil
	}
	change := "monitor prune, or the next run, shell, list, info or tree"
	if f.Resident.Unwanted {
		change = "monitor serve " + names[0]
	}
	return one(Weaker, "unmonitored", "no monitor watches "+list(names), "nothing of them is removed, also when their last process ends", change)
}

func judgeUnknown(all []monitor.Status, _ Facts) []Finding {
	_, reasons := in(all, monitor.StateUnknown, false)
	if len(reasons) == 0 {
		return nil
	}
	return one(Note, "unknown", list(reasons), "it cannot be seen that they are empty, so they stay", "what the reason names; monitor tree NAME shows the members that are known")
}

func judgeBroken(all []monitor.Status, _ Facts) []Finding {
	_, reasons := in(all, monitor.StateBroken, false)
	if len(reasons) == 0 {
		return nil
	}
	return one(Note, "broken", list(reasons), "they stay, and their names are taken", "rm -r the directory of one that is not needed")
}

func judgeStopping(all []monitor.Status, _ Facts) []Finding {
	_, reasons := in(all, monitor.StateStopping, true)
	if len(reasons) == 0 {
		return nil
	}
	return one(Note, "stopping", list(reasons), "no process of them lives, and something of them stays",
		"unmount or delete what the reason names, or mend its on-empty command (monitor logs NAME has what it printed); a monitor tries again, every 5 minutes at last")
}

// long is the size of a log that something is wrong with.
const long = 10 << 20

func judgeLogs(f Facts) []Finding {
	if f.Runtimes.Size < long {
		return nil
	}
	return one(Note, "logs", fmt.Sprintf("%s has %s", f.Runtimes.Log, size(uint64(f.Runtimes.Size))), "it goes with its runtime", "see what it repeats")
}
