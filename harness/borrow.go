//go:build darwin || linux

package harness

import (
	"errors"
	"fmt"
	"net"
	"syscall"
)

// A loan holds open descriptors that a puppet sent to this process.
type loan struct{ descriptors []int }

// borrow accepts one connection and returns the descriptors that were sent over it.
func borrow(listener *net.UnixListener) (*loan, error) {
	conn, err := listener.AcceptUnix()
	if err != nil {
		return nil, fmt.Errorf("borrow descriptors: %w", err)
	}
	defer conn.Close()
	data := make([]byte, 1)
	control := make([]byte, syscall.CmsgSpace(64*4))
	// ReadMsgUnix makes the received descriptors close-on-exec.
	_, n, flags, _, err := conn.ReadMsgUnix(data, control)
	if err != nil {
		return nil, fmt.Errorf("borrow descriptors: %w", err)
	}
	lent, err := received(control[:n])
	switch {
	case err != nil:
	case flags&syscall.MSG_CTRUNC != 0:
		err = errors.New("more descriptors were sent than fit in one message")
	case len(lent.descriptors) == 0:
		err = errors.New("no descriptors were sent")
	}
	if err != nil {
		return nil, fmt.Errorf("borrow descriptors: %w", errors.Join(err, lent.Close()))
	}
	return lent, nil
}

// received returns the descriptors of a control message. With an error it returns
// those before the error.
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

// Close closes the descriptors. A second call does nothing: other files may have
// their numbers by then.
func (l *loan) Close() error {
	var failed []error
	for _, fd := range l.descriptors {
		failed = append(failed, syscall.Close(fd))
	}
	l.descriptors = nil
	return errors.Join(failed...)
}
