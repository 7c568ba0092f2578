package kernel

import (
	"errors"
	"time"

	"golang.org/x/sys/unix"

	"github.com/gemini-monitor/gemini/internal/core"
	"github.com/gemini-monitor/gemini/tracker/process"
)

// A pidfdSource is an epoll of one pidfd for each watched PID. It reports exits
// only: the kernel offers no fork notice for a pidfd.
type pidfdSource struct {
	epoll  int
	waker  int // eventfd
	pidfds map[int]int
	events [64]unix.EpollEvent
}

// spareDescriptors is how many descriptors the pidfds leave to the rest of this program,
// which reads the table and removes runtimes with them. A process without a pidfd is
// looked at from time to time (docs/limits.md).
const spareDescriptors = 16

// leavesSpare reports whether a new descriptor leaves as many free. It has the lowest
// number that was free. The limit may be lowered at any time (prlimit(2)).
func leavesSpare(fd int) bool {
	var limit unix.Rlimit
	err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit)
	return err != nil || uint64(fd) < limit.Cur-min(spareDescriptors, limit.Cur/4)
}

func newPidfdSource() (*pidfdSource, error) {
	epoll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, err
	}
	waker, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		unix.Close(epoll)
		return nil, err
	}
	w := &pidfdSource{epoll: epoll, waker: waker, pidfds: make(map[int]int)}
	// PID 0 stands for the waker.
	if err := w.poll(waker, 0); err != nil {
		return nil, errors.Join(err, w.Close())
	}
	return w, nil
}

func (w *pidfdSource) Forks() process.Forks { return process.ForksUnseen }

func (w *pidfdSource) Inherit() {}

func (w *pidfdSource) Add(pid int) error {
	w.Remove(pid)
	if pid <= 0 {
		return process.ErrGone
	}
	fd, err := unix.PidfdOpen(pid, 0)
	switch err {
	case nil:
	case unix.ESRCH, unix.EINVAL, unix.ENOENT: // the last two: a thread's id
		return process.ErrGone
	default:
		return err
	}
	if !leavesSpare(fd) {
		unix.Close(fd)
		return unix.EMFILE
	}
	if err := w.poll(fd, pid); err != nil {
		unix.Close(fd)
		return err
	}
	w.pidfds[pid] = fd
	return nil
}

func (w *pidfdSource) poll(fd, pid int) error {
	return unix.EpollCtl(w.epoll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(pid)})
}

// ended reports whether a watched process is dead.
func (w *pidfdSource) ended(pid int) bool {
	fd := []unix.PollFd{{Fd: int32(w.pidfds[pid]), Events: unix.POLLIN}}
	for {
		n, err := unix.Poll(fd, 0)
		if err != unix.EINTR {
			return n == 1
		}
	}
}

func (w *pidfdSource) Remove(pid int) {
	fd, ok := w.pidfds[pid]
	if !ok {
		return
	}
	delete(w.pidfds, pid)
	// Closing alone would leave it in the epoll as long as a child of ours
	// that is about to exec has a copy of the descriptor.
	_ = unix.EpollCtl(w.epoll, unix.EPOLL_CTL_DEL, fd, nil)
	unix.Close(fd)
}

// Next appends the notices that are there. It waits for the first one until the
// timeout. It may return none: after a wake, a signal or the time.
func (w *pidfdSource) Next(notices []core.Notice, timeout time.Duration) ([]core.Notice, error) {
	n, err := unix.EpollWait(w.epoll, w.events[:], milliseconds(timeout))
	if err == unix.EINTR {
		return notices, nil
	}
	if err != nil {
		return notices, err
	}
	for _, event := range w.events[:n] {
		pid := int(event.Fd)
		if pid == 0 {
			var count [8]byte
			_, _ = unix.Read(w.waker, count[:])
			continue
		}
		w.Remove(pid)
		notices = append(notices, core.Notice{PID: pid, Events: process.Exited})
	}
	return notices, nil
}

// milliseconds rounds up, so that a wait never ends before its time.
func milliseconds(timeout time.Duration) int {
	if timeout < 0 {
		return -1
	}
	return int((timeout + time.Millisecond - 1) / time.Millisecond)
}

func (w *pidfdSource) Lags() bool { return false }

// Wake makes Next return.
func (w *pidfdSource) Wake() { _, _ = unix.Write(w.waker, []byte{1, 0, 0, 0, 0, 0, 0, 0}) }

func (w *pidfdSource) Close() error {
	for pid := range w.pidfds {
		w.Remove(pid)
	}
	return errors.Join(unix.Close(w.waker), unix.Close(w.epoll))
}
