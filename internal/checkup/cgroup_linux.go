package checkup

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// cgroupRoot is where cgroups are mounted (cgroups(7); docs/linux.md L76).
const cgroupRoot = "/sys/fs/cgroup"

// cgroupQuota returns the limit of processes and threads that leaves the fewest, of the
// cgroup of this process and of those above it (docs/linux.md L76). It is nil where none has
// one.
func cgroupQuota() *Quota {
	text, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return nil
	}
	var tightest *Quota
	for _, dir := range pidsCgroups(string(text)) {
		q := pidsIn(filepath.Join(cgroupRoot, dir))
		if q != nil && (tightest == nil || q.left() < tightest.left()) {
			tightest = q
		}
	}
	return tightest
}

// pidsCgroups returns the directories below cgroupRoot that may have a limit of processes for
// a process, from the text of its file cgroup: its own one and all above. In a container the
// names above are those of the host, and the mounted ones are found at the end.
func pidsCgroups(text string) (dirs []string) {
	for line := range strings.Lines(text) {
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(parts) < 3 {
			continue
		}
		var hierarchies []string
		switch {
		case parts[1] == "":
			hierarchies = []string{"", "unified"}
		case strings.Contains(","+parts[1]+",", ",pids,"):
			hierarchies = []string{"pids"}
		}
		for _, hierarchy := range hierarchies {
			for path := filepath.Clean("/" + parts[2]); ; path = filepath.Dir(path) {
				dirs = append(dirs, filepath.Join("/", hierarchy, path))
				if path == "/" {
					break
				}
			}
		}
	}
	return dirs
}

// pidsIn returns the limit of processes of one cgroup, nil where it has none.
func pidsIn(dir string) *Quota {
	limit, err := readNumber(filepath.Join(dir, "pids.max"))
	if err != nil {
		return nil // also "max"
	}
	used, err := readNumber(filepath.Join(dir, "pids.current"))
	if err != nil {
		return nil
	}
	return &Quota{Limit: limit, Used: used, Counted: true, Where: filepath.Join(dir, "pids.max")}
}

func readNumber(path string) (uint64, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	return strconv.ParseUint(strings.TrimSpace(string(text)), 10, 64)
}

// otherCgroup returns the cgroup of a process where it is another one than that of this
// process, else "".
func otherCgroup(pid int) string {
	own, err := os.ReadFile("/proc/self/cgroup")
	theirs, failed := os.ReadFile(fmt.Sprintf("/proc/%d/cgroup", pid))
	if err != nil || failed != nil || string(own) == string(theirs) {
		return ""
	}
	return unit(string(theirs))
}

// unit returns the path of a cgroup of the unified hierarchy, or of the first one, from the
// text of a file cgroup.
func unit(text string) string {
	var first string
	for line := range strings.Lines(text) {
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(parts) < 3 {
			continue
		}
		if parts[1] == "" && parts[2] != "/" {
			return parts[2]
		}
		if first == "" {
			first = parts[2]
		}
	}
	return first
}
