//go:build darwin || linux

package harness

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// An Oracle reports whether a process lives that inherited the write end of a pipe
// from a job or a terminal, at descriptor 3. It uses no process table and no PID. Both
// kernels close the descriptors of a process before they report its exit: when the
// last process is reaped, the oracle is free.
//
// A process that closed descriptor 3 is not seen: Go and shells keep it for their
// children, while Python, Java and sudo close it. A tree has more witnesses
// ([Tree.Census]), and a [Puppet] its connection.
type Oracle struct {
	*oraclePipe
	tree *Tree
}

// An oraclePipe is the part that all handles of an Oracle share.
type oraclePipe struct {
	read  *os.File
	gone  chan struct{}
	end   sync.Once
	track *track // of its answers in the timeline
}

// newOracle takes over a pipe, whose other end only a command holds.
func newOracle(read *os.File, k *track) (*oraclePipe, error) {
	read, err := polled(read)
	if err != nil {
		return nil, err
	}
	o := &oraclePipe{read: read, gone: make(chan struct{}), track: k}
	go o.listen()
	return o, nil
}

// polled returns a file that Go's poller owns, so that Close ends a Read. It takes over
// the descriptor. O_NONBLOCK is set before NewFile, which looks for it.
func polled(file *os.File) (*os.File, error) {
	defer file.Close()
	fd, err := unix.FcntlInt(file.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		unix.Close(fd)
		return nil, err
	}
	return os.NewFile(uintptr(fd), file.Name()), nil
}

// listen reads until the last holder has closed the pipe or close is called.
func (o *oraclePipe) listen() {
	defer close(o.gone)
	buf := make([]byte, 512)
	for {
		_, err := o.read.Read(buf) // the bytes have no meaning
		if errors.Is(err, io.EOF) {
			o.track.record(Event{What: "no process holds descriptor 3"})
		}
		if err != nil {
			return
		}
	}
}

// Gone returns a channel that is closed when no process holds the descriptor. To receive from
// it waits without a limit: see ExpectGone. That is not the end of a tree with processes that have closed it: see [Tree.ExpectNobody].
func (o *Oracle) Gone() <-chan struct{} { return o.gone }

// ExpectGone waits until no process holds the descriptor. It fails the test if one does when
// the limit of the job or the terminal has passed, and names the processes of the tree.
func (o *Oracle) ExpectGone() {
	t := o.tree
	t.stage.t.Helper()
	ctx, cancel := t.stage.bound(t.limit)
	defer cancel()
	select {
	case <-o.gone:
	case <-ctx.Done():
		t.stage.t.Fatalf("%s", t.failure(fmt.Errorf("expect that no process of %q holds descriptor 3: %w: %s", t.words(), context.Cause(ctx), t.census())))
	}
}

// Held reports whether a process holds the descriptor now. It reads the pipe itself;
// the channel of Gone may be closed some microseconds later.
func (o *Oracle) Held() bool {
	held := o.holds()
	if held {
		o.track.record(Event{What: "asked: a process holds descriptor 3"})
	} else {
		o.track.record(Event{What: "asked: no process holds descriptor 3"})
	}
	return held
}

// holds is Held without an event in the timeline.
func (o *oraclePipe) holds() bool {
	raw, err := o.read.SyscallConn()
	if err != nil {
		return false
	}
	held := false
	// Control and not Read: listen is inside Read. The read end is non-blocking, and a
	// read of 0 bytes is its end.
	raw.Control(func(fd uintptr) {
		var one [1]byte
		n, err := unix.Read(int(fd), one[:])
		for err == unix.EINTR {
			n, err = unix.Read(int(fd), one[:])
		}
		held = n != 0 || err != nil
	})
	return held
}

// close closes the pipe and waits for listen.
func (o *oraclePipe) close() {
	o.end.Do(func() {
		o.read.Close()
		<-o.gone
	})
}
