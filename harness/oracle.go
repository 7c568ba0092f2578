//go:build darwin || linux

package harness

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// An Oracle knows whether any process lives that inherited what a root process
// was given: the write end of a pipe, at descriptor 3. It needs neither a
// process table nor a PID. Both kernels close the descriptors of a process
// before they tell anyone that it has ended, so there is no window in which
// the last process is known to be dead and the oracle still says otherwise.
//
// It does not see a process that closed the descriptor; such a one needs a
// witness of its own, as every Puppet has in its connection.
type Oracle struct {
	read  *os.File
	write *os.File // for the root process; closed here once it was started
	gone  chan struct{}
	end   sync.Once
	track *track // what it says is noted there
}

func newOracle(k *track) (*Oracle, error) {
	read, write, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("make an oracle: %w", err)
	}
	o := &Oracle{read: read, write: write, gone: make(chan struct{}), track: k}
	go o.listen()
	return o, nil
}

// listen reads until the last holder has gone or Close is called.
func (o *Oracle) listen() {
	defer close(o.gone)
	buf := make([]byte, 512)
	for {
		_, err := o.read.Read(buf) // what is written there means nothing
		if errors.Is(err, io.EOF) {
			o.track.record(Event{What: "the last process has gone"})
		}
		if err != nil {
			return
		}
	}
}

// Gone is closed when no process holds the descriptor any more.
func (o *Oracle) Gone() <-chan struct{} { return o.gone }

// Held reports whether a process holds the descriptor at this moment. It asks
// the kernel, where Gone may be some microseconds behind.
func (o *Oracle) Held() bool {
	held := o.holds()
	if held {
		o.track.record(Event{What: "asked: a process lives"})
	} else {
		o.track.record(Event{What: "asked: no process lives"})
	}
	return held
}

func (o *Oracle) holds() bool {
	raw, err := o.read.SyscallConn()
	if err != nil {
		return false
	}
	held := false
	// Control and not Read: the listener is inside Read. The read end of an
	// os.Pipe never blocks; a read of nothing is its end.
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

// Close frees the oracle whatever it would say.
func (o *Oracle) close() {
	o.end.Do(func() {
		o.write.Close()
		o.read.Close()
		<-o.gone
	})
}
