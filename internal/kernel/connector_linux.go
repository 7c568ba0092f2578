package kernel

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// The wire format of the proc connector: a netlink header, a connector header
// and an event, in the machine's byte order (linux/connector.h, linux/cn_proc.h).
const (
	netlinkHeader   = 16
	connectorHeader = 20
	eventAt         = netlinkHeader + connectorHeader
	dataAt          = eventAt + 16 // what, cpu and a timestamp come before

	cnIdxProc = 1 // both the multicast group and the id of the connector
	cnValProc = 1

	procListen   = 1 // PROC_CN_MCAST_LISTEN
	procEventAck = 0 // PROC_EVENT_NONE
	procFork     = 0x1
	procExec     = 0x2
	procExit     = 0x80000000
)

// A connectorSocket is a subscription to the forks, execs and exits of all
// processes of the machine. The kernel puts a fork into the queue before the
// child can run, so no process can do anything before it is announced.
type connectorSocket struct{ fd int }

// receiveBuffer is asked for in bytes. The default loses most of a burst of a
// thousand forks; an event takes about 1 KiB of it.
const receiveBuffer = 32 << 20

// ackPatience bounds the wait for the kernel's answer to a subscription. A kernel that
// refuses may send none.
const ackPatience = time.Second

func openConnector() (*connectorSocket, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.NETLINK_CONNECTOR)
	if err != nil {
		return nil, fmt.Errorf("open proc connector: %w", err)
	}
	s := &connectorSocket{fd}
	if err := s.subscribe(fd); err != nil {
		return nil, errors.Join(fmt.Errorf("subscribe to proc connector: %w", err), s.close())
	}
	return s, nil
}

func (s *connectorSocket) subscribe(fd int) error {
	// Above the limit of net.core.rmem_max where we may, else up to it.
	if unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, receiveBuffer) != nil {
		_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, receiveBuffer)
	}
	if err := unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, processesOnly()); err != nil {
		return err
	}
	if err := unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: cnIdxProc}); err != nil {
		return err
	}
	if err := unix.Send(fd, listenMessage(), 0); err != nil {
		return err
	}
	return s.awaitAck(fd)
}

// awaitAck reads until the kernel has confirmed the subscription.
func (s *connectorSocket) awaitAck(fd int) error {
	deadline := time.Now().Add(ackPatience)
	var message [256]byte
	for {
		left := time.Until(deadline)
		if left <= 0 {
			return errors.New("the kernel does not answer")
		}
		_, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, milliseconds(left))
		if err != nil && err != unix.EINTR {
			return err
		}
		n, _, err := unix.Recvfrom(fd, message[:], 0)
		if err != nil {
			continue // nothing there yet, or a signal
		}
		if e, ok := parseEvent(message[:n]); ok && e.what == procEventAck {
			if e.err != 0 {
				return unix.Errno(e.err)
			}
			return nil
		}
	}
}

// listenMessage subscribes to all events, in the form that kernels before 6.6
// understand too; the filter selects.
func listenMessage() []byte {
	const body = 4
	m := make([]byte, 0, netlinkHeader+connectorHeader+body)
	m = binary.NativeEndian.AppendUint32(m, netlinkHeader+connectorHeader+body)
	m = binary.NativeEndian.AppendUint16(m, unix.NLMSG_DONE)
	m = binary.NativeEndian.AppendUint16(m, 0)
	m = binary.NativeEndian.AppendUint32(m, 0)
	m = binary.NativeEndian.AppendUint32(m, 0)
	m = binary.NativeEndian.AppendUint32(m, cnIdxProc)
	m = binary.NativeEndian.AppendUint32(m, cnValProc)
	m = binary.NativeEndian.AppendUint32(m, 0)
	m = binary.NativeEndian.AppendUint32(m, 0)
	m = binary.NativeEndian.AppendUint16(m, body)
	m = binary.NativeEndian.AppendUint16(m, 0)
	return binary.NativeEndian.AppendUint32(m, procListen)
}

// processesOnly has the kernel drop events about threads before it wakes the reader: a
// fork that makes, or an exit that ends, a thread that is not the first one of its
// process. Loads swap bytes to network order, on both sides of each
// comparison alike.
func processesOnly() *unix.SockFprog {
	load := func(at uint32) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: at}
	}
	jump := func(value uint32, yes, no uint8) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jt: yes, Jf: no, K: value}
	}
	toX := unix.SockFilter{Code: unix.BPF_MISC | unix.BPF_TAX}
	same := unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_X, Jt: 1, Jf: 0}
	verdict := func(keep uint32) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: keep}
	}
	const drop, keep = 0, 0xffffffff
	program := []unix.SockFilter{
		load(eventAt),
		jump(networkOrder(procFork), 3, 0),
		jump(networkOrder(procExit), 6, 0),
		jump(networkOrder(procExec), 10, 0),
		jump(networkOrder(procEventAck), 9, 8),
		load(dataAt + 8), // fork: PID and process of the child
		toX,
		load(dataAt + 12),
		{Code: same.Code, Jt: 5, Jf: 4},
		load(dataAt), // exit: PID and process of the dead
		toX,
		load(dataAt + 4),
		same,
		verdict(drop),
		verdict(keep),
	}
	return &unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]}
}

// networkOrder returns the value that a filter's load makes of v in memory.
func networkOrder(v uint32) uint32 {
	var b [4]byte
	binary.NativeEndian.PutUint32(b[:], v)
	return binary.BigEndian.Uint32(b[:])
}

// A procEvent is one event of the connector.
type procEvent struct {
	what       uint32
	at         time.Duration // on the monotonic clock
	pid, child int
	err        uint32 // of an acknowledgement
}

// parseEvent reads a message of the connector. It reports false for a message that is cut,
// for an event of another kind, and for a PID that is none: every PID of an event that it
// accepts is positive.
func parseEvent(m []byte) (e procEvent, ok bool) {
	if len(m) < dataAt+8 {
		return procEvent{}, false
	}
	word := func(at int) uint32 { return binary.NativeEndian.Uint32(m[at:]) }
	pid := func(at int) int { return int(int32(word(at))) } // pid_t
	e.what = word(eventAt)
	e.at = time.Duration(binary.NativeEndian.Uint64(m[eventAt+8:]))
	switch e.what {
	case procEventAck:
		e.err = word(dataAt)
		return e, true
	case procFork:
		if len(m) < dataAt+16 {
			return procEvent{}, false
		}
		e.pid, e.child = pid(dataAt+4), pid(dataAt+12)
		return e, e.pid > 0 && e.child > 0
	case procExec, procExit:
		e.pid = pid(dataAt + 4)
		return e, e.pid > 0
	}
	return procEvent{}, false
}

// eventLost stands for events that were dropped because the buffer was full.
const eventLost = 0xffffffff

// receive appends the events that are there. It does not wait.
func (s *connectorSocket) receive(events []procEvent) ([]procEvent, error) {
	var message [256]byte
	for {
		n, err := readNow(s.fd, message[:])
		switch err {
		case nil:
			if e, ok := parseEvent(message[:n]); ok {
				events = append(events, e)
			}
		case unix.EINTR:
		case unix.ENOBUFS:
			events = append(events, procEvent{what: eventLost})
		case unix.EAGAIN:
			return events, nil
		default:
			return events, os.NewSyscallError("read", err)
		}
	}
}

// buffer returns how many bytes of events the kernel keeps.
func (s *connectorSocket) buffer() int {
	size, err := unix.GetsockoptInt(s.fd, unix.SOL_SOCKET, unix.SO_RCVBUF)
	if err != nil {
		return 0
	}
	return size
}

func (s *connectorSocket) close() error { return unix.Close(s.fd) }

// NarrowBuffer leaves the smallest room for events that Linux allows, for a spec to
// see some lost.
func (s *Kernel) NarrowBuffer() error {
	return unix.SetsockoptInt(s.Source.(*connectorSource).socket.fd, unix.SOL_SOCKET, unix.SO_RCVBUF, 1)
}
