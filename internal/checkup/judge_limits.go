package checkup

import (
	"fmt"
	"strings"
)

// needed is how many processes and threads a first run needs, with resident and guard, and
// some for its command.
const needed = 64

// share returns what is in use, with the limit.
func (q Quota) share() string {
	if !q.Counted {
		return fmt.Sprintf("at most %d", q.Limit)
	}
	return fmt.Sprintf("%d of %d", q.Used, q.Limit)
}

// judgeProcesses is about the limits of processes.
func judgeProcesses(f Facts) []Finding {
	const follows = "where no process can be made, run and shell refuse to start a command"
	var is, change []string
	word := OK
	look := func(q *Quota, text, remedy string) {
		if q == nil || q.Limit == Unlimited {
			return
		}
		is = append(is, q.share()+" "+text)
		if q.left() < needed {
			word, change = Note, append(change, remedy)
		}
	}
	what := "processes of this user"
	if f.Kernel.System == "linux" {
		what = "processes and threads of this user"
	}
	look(f.Limits.Processes, what, "raise ulimit -u")
	if q := f.Limits.Cgroup; q != nil {
		look(q, "in the cgroup ("+q.Where+")", "raise the limit of the cgroup (docker: --pids-limit; systemd: TasksMax=)")
	}
	switch {
	case len(is) == 0:
		return one(OK, "processes", "no limit", "", "")
	case word == OK:
		return one(OK, "processes", strings.Join(is, "; "), "", "")
	}
	return one(word, "processes", strings.Join(is, "; "), follows, strings.Join(change, "; "))
}

const (
	// perRuntime is how many descriptors a resident needs for a runtime.
	perRuntime = 4
	// forItself is how many it needs for itself, with those that it leaves free.
	forItself = 40
	// fewRuntimes is a number that a user may reach.
	fewRuntimes = 100
)

// judgeFiles is about descriptors. Those of a resident that serves are another finding.
func judgeFiles(f Facts) []Finding {
	limit := f.Limits.Files
	if limit == Unlimited {
		return one(OK, "descriptors", "no limit", "", "")
	}
	runtimes := 0
	if limit > forItself {
		runtimes = int((limit - forItself) / perRuntime)
	}
	is := fmt.Sprintf("at most %d, enough for about %s", limit, count(runtimes, "runtime"))
	if runtimes >= fewRuntimes {
		return one(OK, "descriptors", is, "", "")
	}
	return one(Note, "descriptors", is, "beyond that members are looked at from time to time, and run and shell refuse at last",
		"raise the hard limit (ulimit -Hn), and have a new resident started")
}

// judgeInotify is about the notices of the lease's release.
func judgeInotify(f Facts) []Finding {
	q, refused := f.Limits.Inotify, f.Limits.Releases
	is := "instances can be made"
	if q != nil {
		is = q.share() + " instances of this user"
	}
	switch {
	case refused != nil:
		if q == nil {
			is = "no instance can be made"
		}
		return one(Weaker, "inotify", is+": "+text(refused),
			"a release of the lease is noticed up to 5 seconds late",
			"sysctl fs.inotify.max_user_instances=512, or end what holds instances")
	case q == nil:
		return nil
	}
	return one(OK, "inotify", is, "", "")
}

// judgeTime is about a limit of processor time.
func judgeTime(f Facts) []Finding {
	if f.Limits.Processor == 0 {
		return nil
	}
	return one(Note, "processor time", fmt.Sprintf("limited to %v here (ulimit -t)", f.Limits.Processor),
		"a monitor that is started here ends after that; its runtimes are unmonitored until the next command",
		"start the resident where there is no such limit: monitor serve")
}

// small is a size of files that a journal or a log can reach.
const small = 64 << 20

// judgeSize is about a limit of file sizes.
func judgeSize(f Facts) []Finding {
	if f.Limits.FileSize >= small {
		return nil
	}
	return one(Note, "file size", "limited to "+size(f.Limits.FileSize)+" here (ulimit -f)",
		"a journal or log of a monitor that is started here may not be written on; the watching goes on",
		"start the resident where there is no such limit: monitor serve")
}

// size returns a number of bytes in the largest unit that it fills.
func size(n uint64) string {
	units := []string{"bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"}
	i := 0
	for ; n >= 10<<10 && i < len(units)-1; i++ {
		n >>= 10
	}
	return fmt.Sprintf("%d %s", n, units[i])
}
