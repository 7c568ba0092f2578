package checkup

import (
	"fmt"
	"time"

	"github.com/gemini-monitor/gemini/tracker"
)

// judgeResident is about the resident monitor: whether it serves.
func judgeResident(f Facts) []Finding {
	r := f.Resident
	switch {
	case f.Store.Err != nil && r.Status == nil:
		return nil
	case r.Status != nil:
		return one(OK, "resident", serves(r), "", "")
	case r.PID != 0 && r.Stopped:
		return unanswering(r, fmt.Sprintf("process %d serves, and was stopped by a signal", r.PID), fmt.Sprintf("kill -CONT %d", r.PID))
	case r.PID != 0:
		return unanswering(r, fmt.Sprintf("process %d serves, and does not answer: %s", r.PID, text(r.Err)),
			fmt.Sprintf("kill -KILL %d: its guard starts another one, which goes on", r.PID))
	case r.Elsewhere != nil:
		return one(Note, "resident", "it cannot be seen from here: "+text(r.Elsewhere), "a runtime that is made here gets a monitor of its own", "a store of its own")
	case !r.None && r.Err != nil:
		return unanswering(r, "what serves does not answer: "+text(r.Err), "end what listens at resident.sock of the store")
	case r.Unwanted:
		return one(Weaker, "resident", "none is to serve (--no-resident, MONITOR_RESIDENT=no): each runtime gets a monitor of its own",
			"nothing starts that anew when it is killed: its runtime is unmonitored then", "unset MONITOR_RESIDENT")
	case r.GaveUp != "":
		return one(Note, "resident", "none serves: "+r.GaveUp, "", "the next command that needs one starts it")
	}
	return one(OK, "resident", "none serves; the first run starts one", "", "")
}

func unanswering(r Resident, is, change string) []Finding {
	return one(Weaker, "resident", is, "the runtimes that it watches are not removed until it goes on; run starts a monitor of its own after 2 s", change)
}

// serves describes a resident.
func serves(r Resident) string {
	text := fmt.Sprintf("process %d serves since %v, watches %s, version %s", r.Status.Process.PID, r.Since.Round(time.Second),
		count(r.Status.Runtimes, "runtime"), r.Status.Version)
	if r.Status.Guard != 0 {
		text += fmt.Sprintf(", guard %d", r.Status.Guard)
	}
	if r.Files != nil {
		text += ", " + r.Files.share() + " descriptors"
	}
	return text
}

// spare is how many descriptors a monitor leaves free.
const spare = 16

// judgeResidentMore is about a resident that serves: what a new one would have better.
func judgeResidentMore(f Facts) (findings []Finding) {
	r := f.Resident
	if r.Status == nil {
		return nil
	}
	add := func(word Word, is, follows, change string) {
		findings = append(findings, one(word, "resident", is, follows, change)...)
	}
	restart := fmt.Sprintf("kill -TERM %d; the next command starts another one", r.Status.Process.PID)
	switch r.Age {
	case Older:
		add(Note, "it is older than this program", "the next run has it hand over", "")
	case Newer:
		add(Note, "it is newer than this program", "it watches what this program makes", "install the newer program here too")
	}
	if r.Unwanted {
		add(Weaker, "it serves, and is not asked (--no-resident, MONITOR_RESIDENT=no)", "runtimes that are made here get monitors of their own, and nothing starts those anew when they are killed", "unset MONITOR_RESIDENT")
	}
	if r.Status.Guard == 0 {
		add(Note, "it has no guard", "nothing starts it anew when it is killed, unless a service manager does", "")
	}
	if r.Tally != nil && r.Tally.Mechanism == tracker.Pidfd && f.Tracking.Mechanism == tracker.ProcConnector {
		add(Weaker, "it follows processes by pidfd, and one that is started here would by the proc connector", "forks are found by reading the process table every 250 ms", restart)
	}
	if r.Files != nil && r.Files.left() <= spare {
		add(Weaker, "it has no descriptor left for another runtime", "members are looked at from time to time, and run and shell may refuse", "raise the hard limit (ulimit -Hn); "+restart)
	}
	if r.Elsewhere != nil {
		add(Note, "it is in another namespace: "+text(r.Elsewhere), "runtimes that are made here get monitors of their own", "a store of its own for each container")
	}
	if r.Cgroup != "" {
		add(Note, "it is in another cgroup, "+r.Cgroup, "what ends that cgroup ends it, and its guard; runtimes elsewhere are unmonitored until the next command", "")
	}
	if r.Member != "" {
		add(Note, fmt.Sprintf("it is a member of runtime %q of the store around", r.Member), "that runtime stays until the resident ends", restart)
	}
	return findings
}

// judgeAround is about the runtime that the caller is in.
func judgeAround(f Facts) []Finding {
	a := f.Around
	switch {
	case a.Runtime == "":
		return nil
	case a.Store == "":
		return one(OK, "around", fmt.Sprintf("called in runtime %q", a.Runtime), "", "")
	case f.Resident.Status != nil || f.Resident.Unwanted:
		return one(OK, "around", fmt.Sprintf("called in runtime %q of the store %s", a.Runtime, a.Store), "", "")
	}
	return one(Note, "around", fmt.Sprintf("called in runtime %q of the store %s", a.Runtime, a.Store),
		"a resident that is started here is a member of it, and keeps it until 10 seconds after it has nothing to watch",
		"start the resident outside before, by monitor serve")
}

// judgeSession is about what a log-out ends.
func judgeSession(f Facts) []Finding {
	if !f.Session.Kills {
		return nil
	}
	return one(Note, "session", "systemd-logind ends all processes of "+f.Session.Unit+" at log-out (KillUserProcesses=yes)",
		"resident and members that are started here end together; what is elsewhere is unmonitored until the next command",
		"monitor serve as a service of the user, with lingering (docs/resident.md)")
}
