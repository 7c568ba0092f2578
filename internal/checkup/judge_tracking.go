package checkup

import (
	"errors"
	"fmt"
	"strings"

	"github.com/gemini-monitor/gemini/tracker"
	"github.com/gemini-monitor/gemini/tracker/process"
)

// busy is what may be the matter where the kernel is asked, and not a file system.
const busy = "ask again: the machine is busy, or has many processes"

// judgeTracking is about the mechanism that announces the fates of processes.
func judgeTracking(f Facts) []Finding {
	t := f.Tracking
	missed := "it can lose " + t.Misses
	switch {
	case errors.Is(t.Err, ErrLate):
		return one(Note, "tracking", "how processes are followed cannot be said: "+text(t.Err), "", busy)
	case t.Err != nil:
		return one(Refused, "tracking", "processes cannot be followed: "+text(t.Err), "run and shell refuse to start a command", trackingNeeds(f.Kernel))
	case t.Mechanism == tracker.ProcConnector:
		return one(OK, "tracking", "proc connector: the kernel names each fork", missed, "")
	case t.Mechanism == tracker.Kqueue && t.Lineage:
		return one(OK, "tracking", "kqueue: forks are announced, and the kernel keeps the maker of an orphan", missed, "")
	case t.Mechanism == tracker.Kqueue:
		return one(Weaker, "tracking", "kqueue: forks are announced, and the kernel does not show the maker of an orphan", missed, "")
	}
	is := "pidfd: no fork is announced, so the process table is read every 250 ms"
	if t.Refused != "" {
		is += " (" + strings.ReplaceAll(t.Refused, "\n", "; ") + ")"
	}
	return one(Weaker, "tracking", is, missed, connectorNeeds(f.Kernel))
}

// trackingNeeds returns what would have processes followed at all.
func trackingNeeds(k Kernel) string {
	if k.System == "linux" {
		return "a /proc of this PID namespace, mounted without subset=pid (unshare --mount-proc)"
	}
	return ""
}

// connectorNeeds returns what would have the proc connector work (docs/linux.md L1 to L3).
// That the network namespace is another one shows in the refusal alone.
func connectorNeeds(k Kernel) string {
	const capable = "Linux 6.6 or newer, or CAP_NET_ADMIN"
	old := !k.Root && !notBefore(k.Release, 6, 6)
	if old && len(k.Namespaces) == 0 {
		return capable
	}
	var kinds, flags []string
	for _, link := range k.Namespaces {
		kind, _, _ := strings.Cut(link, ":")
		kinds = append(kinds, kind)
		if flag := hostFlags[kind]; flag != "" {
			flags = append(flags, flag)
		}
	}
	initial := "network namespace"
	if len(kinds) > 0 {
		initial = strings.Join(kinds, ", ") + " and network namespaces"
	}
	needs := fmt.Sprintf("run it in the initial %s (docker, podman: %s)", initial, strings.Join(append(flags, "--network=host"), " "))
	if old {
		needs += ", and " + capable
	}
	return needs
}

// hostFlags are the flags by which a container has a namespace of the host.
var hostFlags = map[string]string{"pid": "--pid=host", "user": "--userns=host"}

// notBefore reports whether a release of Linux is at least another one. One that cannot be
// read is.
func notBefore(release string, major, minor int) bool {
	var m, n int
	if _, err := fmt.Sscanf(release, "%d.%d", &m, &n); err != nil {
		return true
	}
	return m > major || m == major && n >= minor
}

// judgeTable is about what /proc hides.
func judgeTable(f Facts) []Finding {
	const change = "mount /proc without hidepid, or be in the group of its option gid"
	t := f.Table
	switch {
	case errors.Is(t.Err, ErrLate):
		return one(Note, "table", "it was not read: "+text(t.Err), "", busy)
	case t.Err != nil:
		return one(Refused, "table", "the process table cannot be read: "+text(t.Err), "run and shell refuse to start a command", trackingNeeds(f.Kernel))
	case t.Partial != nil && f.Tracking.Forks == process.ForksNamed:
		return one(Note, "table", text(t.Partial),
			"after lost notices, or a time without a monitor, a runtime becomes unknown and is kept", change)
	case t.Partial != nil:
		return one(Weaker, "table", text(t.Partial),
			"a member that changed its user may be hidden, so a runtime is not found empty: it becomes unknown and is kept", change)
	}
	return one(OK, "table", count(t.Processes, "process")+", none hidden", "", "")
}

// judgeNamespaces is about the namespaces that PIDs and start times count in.
func judgeNamespaces(f Facts) []Finding {
	var own []string
	for _, link := range f.Kernel.Namespaces {
		if strings.HasPrefix(link, "pid:") || strings.HasPrefix(link, "time:") {
			own = append(own, link)
		}
	}
	if len(own) == 0 {
		return nil
	}
	return one(Note, "namespaces", "this is not the initial one: "+strings.Join(own, ", "),
		"runtimes that are made here are unknown elsewhere, and those of elsewhere here; they end with the container",
		"give each container a store of its own")
}

// enough is how many processes show that no environment can be read, where none answers.
const enough = 3

// judgeMarks is about the environments, in which marks are looked for.
func judgeMarks(f Facts) []Finding {
	m := f.Marks
	switch {
	case m.Err != nil || m.Asked == 0:
		return nil // the table says so, or there is nothing to ask
	case m.Read > 0 || m.Asked < enough || f.Kernel.System == "darwin":
		return one(OK, "marks", fmt.Sprintf("%d of %d other processes of this user show their environment", m.Read, m.Asked), "", "")
	}
	word := Weaker
	if f.Tracking.Forks == process.ForksNamed {
		word = Note
	}
	return one(word, "marks", fmt.Sprintf("none of %d other processes of this user shows its environment", m.Asked),
		"an orphan that no other link reaches is not found by its mark", "")
}
