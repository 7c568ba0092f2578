package checkup

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/gemini-monitor/gemini/tracker/process"
)

// inotify returns how many inotify instances this user can have, and why none can be made now
// (docs/linux.md L20). It makes one and closes it.
func inotify() (*Quota, error) {
	fd, refused := unix.InotifyInit1(unix.IN_CLOEXEC)
	if refused == nil {
		unix.Close(fd)
	}
	text, err := os.ReadFile("/proc/sys/fs/inotify/max_user_instances")
	limit, parsed := strconv.ParseUint(strings.TrimSpace(string(text)), 10, 64)
	if err != nil || parsed != nil {
		return nil, refused
	}
	return &Quota{Limit: limit}, refused
}

// instancesOf returns how many inotify instances some processes have.
func instancesOf(mine []process.Row) (n uint64) {
	looked := 0
	for _, row := range mine {
		found, all := instances(row.PID)
		n += found
		if looked += all; looked > manyFiles {
			break
		}
	}
	return n
}

// manyFiles is how many descriptors are looked at, in all processes together.
const manyFiles = 50_000

// instances returns how many inotify instances a process has, and how many descriptors.
func instances(pid int) (n uint64, all int) {
	dir := fmt.Sprintf("/proc/%d/fd/", pid)
	open, _ := os.ReadDir(dir)
	for _, e := range open {
		if link, err := os.Readlink(dir + e.Name()); err == nil && strings.HasSuffix(link, "inotify") {
			n++
		}
	}
	return n, len(open)
}
