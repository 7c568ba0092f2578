package process

import (
	"fmt"
	"syscall"
)

// Signal sends a signal to the process with this identity, and to no other one
// that has its PID now. Signal 0 sends nothing and tests whether it could be sent.
//
// The error is [ErrGone] when that process is dead, a zombie included, and
// [ErrElsewhere] when the identity was recorded in another namespace. Any other
// error is the kernel's: EPERM for a process of another user, for instance. After
// an error no signal was sent.
//
// On Linux the signal goes through a pidfd, which names one process for good. XNU
// has no such handle: on macOS the table is read immediately before kill(2). A
// wrong process could be signalled only if the right one ended, was reaped, and XNU
// gave out all its other 99,899 PIDs between these two calls (forkproc hands them
// out in turn: docs/xnu.md X24).
func (id Identity) Signal(sig syscall.Signal) error {
	s, err := OpenSender()
	if err != nil {
		return fmt.Errorf("signal process %v: %w", id, err)
	}
	defer s.Close()
	return s.Signal(id, sig)
}

// A Sender signals many processes. It is for one goroutine at a time.
type Sender struct {
	reader *Reader
	by     signaller
}

// OpenSender returns a sender. Close it after use.
func OpenSender() (*Sender, error) {
	r, err := OpenReader()
	if err != nil {
		return nil, err
	}
	return &Sender{r, newSignaller(r)}, nil
}

// Signal is [Identity.Signal].
func (s *Sender) Signal(id Identity, sig syscall.Signal) error {
	if err := id.signalBy(s.by, sig); err != nil {
		return fmt.Errorf("signal process %v: %w", id, err)
	}
	return nil
}

// Close releases what the sender holds.
func (s *Sender) Close() { s.reader.Close() }

// A signaller is what Signal needs of a kernel.
type signaller struct {
	// open returns a handle of the process that has the PID now.
	open  func(pid int) (handle int, err error)
	close func(handle int)
	// lookup returns the row of the process that has the PID now.
	lookup func(pid int) (Row, error)
	send   func(handle int, sig syscall.Signal) error
}

// signalBy opens the handle before the look-up. If the row then shows this identity,
// the process had its PID all the time, and the handle is its own.
func (id Identity) signalBy(s signaller, sig syscall.Signal) error {
	if err := id.recordedHere(); err != nil {
		return err
	}
	handle, err := s.open(id.PID)
	if err != nil {
		return err
	}
	defer s.close(handle)
	row, err := s.lookup(id.PID)
	switch {
	case err != nil:
		return err
	case row.Identity != id || row.State == Zombie:
		return ErrGone
	}
	return s.send(handle, sig)
}

// recordedHere returns nil if the PID and the start time mean a process of this
// boot and these namespaces.
func (id Identity) recordedHere() error {
	here, err := Boot()
	switch {
	case err != nil:
		return err
	case id.PID <= 0: // kill(2) takes these for groups
		return ErrGone
	case id.Boot == here:
		return nil
	}
	if err := id.Visible(); err != nil {
		return err
	}
	return ErrGone
}
