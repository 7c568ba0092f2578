package kernel

import (
	"errors"
	"math"
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
	below  int // the numbers of the pidfds are
	events [64]unix.EpollEvent
}

// spareDescriptors is how many descriptors the pidfds leave to the rest of this program,
// which reads the table and removes runtimes with them. A process without a pidfd is
// looked at from time to time (docs/limits.md).
const spareDescriptors = 16

// pidfdsBelow returns the end of the numbers that pidfds may have. A new descriptor has
// the lowest number that is free.
func pidfdsBelow(limit uint64) int {
	return int(min(limit-min(spareDescriptors, limit/4), math.MaxInt32))
}

func newPidfdSource() (*pidfdSource, error) {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return nil, err
	}
	epoll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, err
	}
	waker, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		unix.Close(epoll)
		return nil, err
	}
	w := &pidfdSource{epoll: epoll, waker: waker, pidfds: make(map[int]int), below: pidfdsBelow(limit.Cur)}
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
	if fd >= w.below {
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

// Wake makes Next return.
func (w *pidfdSource) Wake() { _, _ = unix.Write(w.waker, []byte{1, 0, 0, 0, 0, 0, 0, 0}) }

func (w *pidfdSource) Close() error {
	for pid := range w.pidfds {
		w.Remove(pid)
	}
	return errors.Join(unix.Close(w.waker), unix.Close(w.epoll))
}
