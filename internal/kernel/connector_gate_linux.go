package kernel

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A gate is where the reader of the connector's socket waits: for events, or for the end
// of a rest, in which events do not wake it.
//
// It is an epoll of the socket, a timer and a bell. The epoll is itself in Go's poller, so
// that a wait occupies no thread: the scheduler looks for a thread in a blocking system
// call up to fifty times before it takes the processor away from it, and each look is a
// wake-up. The socket is armed for one event at a time, so it is silent during a rest.
type gate struct {
	socket, alarm, bell int
	epoll               int // file's
	file                *os.File
	wait                syscall.RawConn
}

func newGate(socket int) (_ *gate, err error) {
	g := &gate{socket: socket, alarm: -1, bell: -1, epoll: -1}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("wait for the proc connector: %w", err), g.close())
		}
	}()
	if g.alarm, err = unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_CLOEXEC|unix.TFD_NONBLOCK); err != nil {
		return nil, err
	}
	if g.bell, err = unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK); err != nil {
		return nil, err
	}
	if g.epoll, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return nil, err
	}
	for fd, events := range map[int]uint32{socket: unix.EPOLLONESHOT, g.alarm: unix.EPOLLIN, g.bell: unix.EPOLLIN} {
		if err = unix.EpollCtl(g.epoll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: events, Fd: int32(fd)}); err != nil {
			return nil, err
		}
	}
	if err = unix.SetNonblock(g.epoll, true); err != nil {
		return nil, err
	}
	g.file = os.NewFile(uintptr(g.epoll), "proc connector")
	g.wait, err = g.file.SyscallConn()
	return g, err
}

// await returns when there may be events, or after a ring.
func (g *gate) await() error {
	armed := unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLONESHOT, Fd: int32(g.socket)}
	if err := unix.EpollCtl(g.epoll, unix.EPOLL_CTL_MOD, g.socket, &armed); err != nil {
		return os.NewSyscallError("epoll_ctl", err)
	}
	return g.pass()
}

// rest returns after some time, or after a ring.
func (g *gate) rest(d time.Duration) error {
	once := unix.ItimerSpec{Value: unix.NsecToTimespec(int64(d))}
	if err := unix.TimerfdSettime(g.alarm, 0, &once, nil); err != nil {
		return os.NewSyscallError("timerfd_settime", err)
	}
	return g.pass()
}

// pass waits until one of the three is ready.
func (g *gate) pass() error { return g.wait.Read(func(uintptr) bool { return g.ready() }) }

// ready reports whether one of the three is ready, and takes note of all that are.
func (g *gate) ready() bool {
	var events [3]unix.EpollEvent
	n, _, _ := unix.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(g.epoll), uintptr(unsafe.Pointer(&events[0])), uintptr(len(events)), 0, 0, 0)
	for _, e := range events[:max(0, int(n))] {
		if fd := int(e.Fd); fd != g.socket {
			var count [8]byte
			_, _ = readNow(fd, count[:])
		}
	}
	return int(n) > 0
}

// ring ends the wait that is under way, or the next one.
func (g *gate) ring() { _, _ = unix.Write(g.bell, []byte{1, 0, 0, 0, 0, 0, 0, 0}) }

func (g *gate) close() error {
	var closed error
	if g.file != nil {
		closed = g.file.Close()
	} else if g.epoll >= 0 {
		closed = unix.Close(g.epoll)
	}
	for _, fd := range []int{g.alarm, g.bell} {
		if fd >= 0 {
			closed = errors.Join(closed, unix.Close(fd))
		}
	}
	return closed
}

// readNow reads from a descriptor that does not block. The scheduler is not told of it,
// which would wake a thread of its own.
func readNow(fd int, buffer []byte) (int, error) {
	n, _, errno := unix.RawSyscall(unix.SYS_READ, uintptr(fd), uintptr(unsafe.Pointer(&buffer[0])), uintptr(len(buffer)))
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}
