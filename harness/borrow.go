//go:build darwin || linux

package harness

import (
	"errors"
	"fmt"
	"net"
	"syscall"
)

// A loan is open descriptors that somebody sent.
type loan struct{ descriptors []int }

// borrow takes the descriptors that the first to connect has sent already.
func borrow(listener *net.UnixListener) (*loan, error) {
	conn, err := listener.AcceptUnix()
	if err != nil {
		return nil, fmt.Errorf("borrow descriptors: %w", err)
	}
	defer conn.Close()
	data := make([]byte, 1)
	control := make([]byte, syscall.CmsgSpace(64*4))
	// Go closes at an exec what comes in this way.
	_, n, flags, _, err := conn.ReadMsgUnix(data, control)
	if err != nil {
		return nil, fmt.Errorf("borrow descriptors: %w", err)
	}
	lent, err := received(control[:n])
	switch {
	case err != nil:
	case flags&syscall.MSG_CTRUNC != 0:
		err = errors.New("more came than can be taken")
	case len(lent.descriptors) == 0:
		err = errors.New("none came")
	}
	if err != nil {
		return nil, fmt.Errorf("borrow descriptors: %w", errors.Join(err, lent.Close()))
	}
	return lent, nil
}

// received are the descriptors in a control message, also those before an error.
func received(control []byte) (*loan, error) {
	lent := &loan{}
	messages, err := syscall.ParseSocketControlMessage(control)
	if err != nil {
		return lent, err
	}
	for _, m := range messages {
		some, err := syscall.ParseUnixRights(&m)
		if err != nil {
			return lent, err
		}
		lent.descriptors = append(lent.descriptors, some...)
	}
	return lent, nil
}

// Close gives them back. Doing so again does nothing: their numbers may by then
// be somebody else's.
func (l *loan) Close() error {
	var failed []error
	for _, fd := range l.descriptors {
		failed = append(failed, syscall.Close(fd))
	}
	l.descriptors = nil
	return errors.Join(failed...)
}
