package warden

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// adopt makes this process the parent of each descendant whose parent ends.
func adopt() error { return unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) }

// inCgroup makes a command start in a control group.
func inCgroup(sys *syscall.SysProcAttr, directory *os.File) {
	sys.UseCgroupFD, sys.CgroupFD = true, int(directory.Fd())
}

// paused reports whether a status is that of a stopped or of a continued process.
func paused(status unix.WaitStatus) (stopped, continued bool) {
	return status.Stopped(), status.Continued()
}
