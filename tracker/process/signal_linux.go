package process

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// newSignaller signals through a pidfd. Once its process has been reaped,
// pidfd_send_signal(2) answers ESRCH, also when the PID is
// another process's.
func newSignaller(r *Reader) signaller {
	return signaller{
		open: func(pid int) (int, error) {
			fd, err := unix.PidfdOpen(pid, 0)
			switch err {
			case unix.ESRCH, unix.EINVAL, unix.ENOENT: // the last two: a thread's id
				return 0, ErrGone
			}
			return fd, err
		},
		close:  func(fd int) { unix.Close(fd) },
		lookup: r.Lookup,
		send: func(fd int, sig syscall.Signal) error {
			if err := unix.PidfdSendSignal(fd, sig, nil, 0); err != unix.ESRCH {
				return err
			}
			return ErrGone
		},
	}
}
