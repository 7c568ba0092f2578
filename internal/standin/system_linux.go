package standin

import (
	"os"
	"runtime"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/gemini-monitor/gemini/internal/sigmask"
)

// attributes gives a child the signal at the death of its parent that this process has: what
// is to die with the caller of this process dies with this process, which stands between.
// The caller is on the first thread, to which the signal belongs.
func attributes() *syscall.SysProcAttr {
	var s int32
	_ = unix.Prctl(unix.PR_GET_PDEATHSIG, uintptr(unsafe.Pointer(&s)), 0, 0, 0)
	return &syscall.SysProcAttr{Pdeathsig: syscall.Signal(s)}
}

// put makes a descriptor another name of an open file.
func put(file, descriptor int) error { return unix.Dup3(file, descriptor, 0) }

// An action is the kernel's struct sigaction.
type action struct {
	handler, flags, restorer uintptr
	mask                     sigmask.Mask
}

// setAction changes the action of a signal behind Go's runtime, and tells what it was.
func setAction(s syscall.Signal, next, before *action) error {
	_, _, errno := unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(s), uintptr(unsafe.Pointer(next)),
		uintptr(unsafe.Pointer(before)), unsafe.Sizeof(next.mask), 0, 0)
	if errno != 0 {
		return errno
	}
	return nil
}

// ignores reports whether this process ignores a signal.
func ignores(s syscall.Signal) bool {
	const ignored = 1 // SIG_IGN
	var now action
	return setAction(s, nil, &now) == nil && now.handler == ignored
}

// stopSelf stops this process by a signal, as its default action does, and returns when the
// process goes on. In an orphaned group, which no process would continue, only SIGSTOP stops
// it (docs/linux.md L82).
func stopSelf(s syscall.Signal) {
	runtime.LockOSThread() // whose mask is changed, and which gets the signal
	defer runtime.UnlockOSThread()
	if before, err := sigmask.Set(0); err == nil {
		defer func() { _, _ = sigmask.Set(before) }()
	}
	var handler action
	if s != unix.SIGSTOP && setAction(s, &action{}, &handler) == nil {
		defer func() { _ = setAction(s, &handler, nil) }()
	}
	_ = unix.Tgkill(os.Getpid(), unix.Gettid(), s)
}

// noCore has this process leave no core file, to which the limit alone does not lead where
// core files go to a program (docs/linux.md L83).
func noCore() {
	noCoreFile()
	_ = unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0)
}
