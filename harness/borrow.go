//go:build darwin || linux

package harness

import (
	"errors"
	"fmt"
	"net"
	"syscall"
)

// descriptors are open ones that somebody sent.
type descriptors []int

// borrow takes the descriptors that the first to connect has sent already.
func borrow(listener *net.UnixListener) (descriptors, error) {
	conn, err := listener.AcceptUnix()
	if err != nil {
		return nil, fmt.Errorf("borrow descriptors: %w", err)
	}
	defer conn.Close()
	data := make([]byte, 1)
	control := make([]byte, syscall.CmsgSpace(64*4))
	// Go closes at an exec what comes in this way.
	_, n, _, _, err := conn.ReadMsgUnix(data, control)
	if err != nil {
		return nil, fmt.Errorf("borrow descriptors: %w", err)
	}
	messages, err := syscall.ParseSocketControlMessage(control[:n])
	if err != nil {
		return nil, fmt.Errorf("borrow descriptors: %w", err)
	}
	var lent descriptors
	for _, m := range messages {
		fds, err := syscall.ParseUnixRights(&m)
		if err != nil {
			return nil, fmt.Errorf("borrow descriptors: %w", err)
		}
		lent = append(lent, fds...)
	}
	if len(lent) == 0 {
		return nil, errors.New("borrow descriptors: none came")
	}
	return lent, nil
}

// Close gives them back.
func (d descriptors) Close() error {
	var failed []error
	for _, fd := range d {
		failed = append(failed, syscall.Close(fd))
	}
	return errors.Join(failed...)
}
