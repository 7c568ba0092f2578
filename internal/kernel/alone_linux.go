package kernel

import (
	"os"
	"slices"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/gemini-monitor/gemini/tracker/process"
)

// Alone reports whether no process can be linked to another one as things are: that has no
// child, and there is no group or session of its making. False means that it may not be
// so. Whether one that leads a group or session is the only one in it takes a look at the
// group and session of each process.
func (k *Kernel) Alone(p process.Row) bool {
	if !childless(p.PID) {
		return false
	}
	if p.Group == p.PID || p.Session == p.PID {
		return k.reader.Sole(p.PID)
	}
	return unix.Kill(-p.PID, 0) == unix.ESRCH
}

// childless reports whether a process has no child, zombies included. A thread's children
// go to another thread when it ends, and that one may have been looked at before. So the
// threads have to be the same ones afterwards (docs/linux.md L52).
func childless(pid int) bool {
	tasks := "/proc/" + strconv.Itoa(pid) + "/task"
	threads, err := namesIn(tasks)
	if err != nil || len(threads) == 0 {
		return false
	}
	for _, thread := range threads {
		children, err := os.ReadFile(tasks + "/" + thread + "/children")
		if err != nil || len(children) > 0 {
			return false
		}
	}
	again, err := namesIn(tasks)
	return err == nil && slices.Equal(threads, again)
}

// namesIn returns the sorted names in a directory.
func namesIn(path string) ([]string, error) {
	dir, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	slices.Sort(names)
	return names, err
}
