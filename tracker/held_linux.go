package tracker

import (
	"errors"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// startHeld starts a command that runs when release is called.
func startHeld(cmd *exec.Cmd) (release func() error, err error) {
	if canTrace() && !privileged(programOf(cmd)) {
		return startTraced(cmd)
	}
	return startGated(cmd)
}

// canTrace reports whether a child can be stopped at its exec: Yama's ptrace_scope 3
// and filters of system calls refuse it. It starts this very program, which is killed
// before its first instruction.
var canTrace = sync.OnceValue(func() bool {
	cmd := exec.Command("/proc/self/exe")
	release, err := startTraced(cmd)
	if err != nil {
		return false
	}
	return abandon(cmd, release) == nil
})

// startTraced starts a command that the kernel stops at the end of its exec. The
// thread that made it is the one that can let it go.
func startTraced(cmd *exec.Cmd) (release func() error, err error) {
	runtime.LockOSThread()
	before := cmd.SysProcAttr
	defer func() { cmd.SysProcAttr = before }()
	attr := &syscall.SysProcAttr{}
	if before != nil {
		*attr = *before
	}
	attr.Ptrace = true
	cmd.SysProcAttr = attr
	if err := cmd.Start(); err != nil {
		runtime.UnlockOSThread()
		return nil, err
	}
	pid := cmd.Process.Pid
	release = sync.OnceValue(func() error {
		defer runtime.UnlockOSThread()
		if err := unix.PtraceDetach(pid); !errors.Is(err, unix.ESRCH) {
			return err
		}
		return nil // it was killed
	})
	if err := awaitStop(pid); err != nil {
		return nil, errors.Join(err, abandon(cmd, release))
	}
	return release, nil
}

// awaitStop returns when a traced child has stopped or is dead. It leaves the status to
// those who wait for the child.
func awaitStop(pid int) error {
	for {
		err := unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WSTOPPED|unix.WNOWAIT|unix.WALL, nil)
		if !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

// privileged reports whether a program gets privileges by its exec, which a traced one
// does not get.
func privileged(path string) bool {
	info, err := os.Stat(path)
	if err != nil {
		return false // the exec reports it
	}
	if info.Mode()&(os.ModeSetuid|os.ModeSetgid) != 0 {
		return true
	}
	_, err = unix.Getxattr(path, "security.capability", nil)
	return err == nil
}
