//go:build amd64 || arm64

package standin

import (
	"encoding/binary"
	"os"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/gemini-monitor/gemini/internal/sigmask"
)

// The kernel says with each signal what it comes from, but only to a handler (docs/linux.md
// L80). Go's runtime does not pass that on, and a signalfd(2) needs signals that all threads
// block: Go's threads never block SIGTERM and the like (L81). So the signals have a handler in assembly. All
// that it does is to write the beginning of its siginfo_t into a pipe.

// pipe is the end of the pipe that the handler writes to, 0 before there is one.
var pipe uintptr

// handlerAddress and restorerAddress are set in hear_sender_linux_*.s.
var handlerAddress, restorerAddress uintptr

// beginning is how many bytes of a siginfo_t the handler writes: si_signo, si_errno, si_code,
// four bytes for alignment, si_pid and si_uid, four bytes each.
const beginning = 24

// The flags of an action (signal.h).
const (
	withInfo    = 0x4
	hasRestorer = 0x04000000
	onOwnStack  = 0x08000000 // that of Go's runtime
	restart     = 0x10000000
)

// opened is done once the pipe was asked for.
var opened sync.Once

// askForSenders gives the signals a handler that says what they come from, and reports
// whether that was done. All calls of a process name one channel.
func askForSenders(signals []syscall.Signal, to chan<- notice) bool {
	opened.Do(func() { openPipe(to) })
	if pipe == 0 {
		return false
	}
	for _, s := range signals {
		_ = setAction(s, &action{
			handler: handlerAddress, flags: withInfo | onOwnStack | restart | hasRestorer,
			restorer: restorerAddress, mask: ^sigmask.Mask(0),
		}, nil)
	}
	return true
}

// openPipe makes the pipe, and a goroutine that reads it until the process ends.
func openPipe(to chan<- notice) {
	var ends [2]int
	if unix.Pipe2(ends[:], unix.O_CLOEXEC|unix.O_NONBLOCK) != nil {
		return
	}
	pipe = uintptr(ends[1])
	go readNotices(os.NewFile(uintptr(ends[0]), "signals"), to)
}

func readNotices(from *os.File, to chan<- notice) {
	var info [beginning]byte
	for {
		// Each is written at once, and read whole.
		if n, err := from.Read(info[:]); err != nil || n != len(info) {
			return
		}
		to <- noticeOf(info)
	}
}

// noticeOf reads the beginning of a siginfo_t. What the kernel sends by itself has a positive
// code, and what a process sends has not (sigaction(2)).
func noticeOf(info [beginning]byte) notice {
	n := notice{signal: syscall.Signal(binary.NativeEndian.Uint32(info[:])), from: theKernel}
	if code := int32(binary.NativeEndian.Uint32(info[8:])); code <= 0 {
		n.from, n.pid = anyProcess, int(int32(binary.NativeEndian.Uint32(info[16:])))
	}
	return n
}
