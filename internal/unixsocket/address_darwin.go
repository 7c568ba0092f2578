package unixsocket

import (
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

const dirFlags = unix.O_RDONLY | unix.O_DIRECTORY | unix.O_CLOEXEC

// from calls do with a bare name, on a thread whose working directory is the given one
// (docs/xnu.md X52). The directory of the process stays as it is.
func from(dir int, name string, do func(name string) error) error {
	if len(name) > maxName {
		return unix.ENAMETOOLONG
	}
	done := make(chan error, 1)
	go func() {
		// Never unlocked: the thread ends with the goroutine, and its directory with it.
		runtime.LockOSThread()
		if err := unix.PthreadFchdir(dir); err != nil {
			done <- os.NewSyscallError("pthread_fchdir_np", err)
			return
		}
		done <- do(name)
	}()
	return <-done
}
