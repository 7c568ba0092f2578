package monitor

import (
	"fmt"
	"strings"

	"github.com/gemini-monitor/gemini/tracker/process"
)

// mostNamed is how many processes the reason names at most.
const mostNamed = 3

// inhabited returns the reason why a runtime without a monitor stays: the processes of it that
// live. It names them, and the commands that show and end them.
func (r *Runtime) inhabited(by []process.Process) error {
	why := "it has live processes and no monitor"
	if len(by) > 0 { // else the last one has ended since
		why += ": " + named(by)
	}
	return r.advise(fmt.Sprintf("%s; \"monitor why %[2]s\" shows why they count, \"monitor stop %[2]s\" ends them", why, r.name))
}

// named returns PIDs and programs of some processes, or of the first ones with the number of
// the others.
func named(all []process.Process) string {
	var words []string
	for _, p := range all[:min(len(all), mostNamed)] {
		words = append(words, strings.TrimSpace(fmt.Sprintf("%d %s", p.PID, p.Command)))
	}
	if more := len(all) - len(words); more > 0 {
		words = append(words, fmt.Sprintf("%d more", more))
	}
	return strings.Join(words, ", ")
}

// inhabitants returns the live members by the journal, or the owner where there is none.
func (v *Survey) inhabitants(s Status) (by []process.Process) {
	for _, m := range s.Members {
		by = append(by, m.Process)
	}
	if len(by) == 0 {
		by = append(by, v.live[s.Owner])
	}
	return by
}

// inhabitants returns the members that the table shows.
func (w *Watching) inhabitants() (by []process.Process) {
	for _, m := range w.tree.Members() {
		by = append(by, m.Process)
	}
	return by
}
