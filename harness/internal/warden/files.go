//go:build darwin || linux

package warden

import (
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"
)

// most is the number of files in one message, more than any command has.
const most = 32

// Send sends files in one message.
func Send(conn *net.UnixConn, files []*os.File) error { return send(conn, files) }

// Receive receives the given number of files, which Send has sent in one message. They
// are close-on-exec.
func Receive(conn *net.UnixConn, number int) ([]*os.File, error) { return receive(conn, number) }

func send(conn *net.UnixConn, files []*os.File) error {
	if len(files) == 0 {
		return nil
	}
	descriptors := make([]int, len(files))
	for i, file := range files {
		descriptors[i] = int(file.Fd())
	}
	// unix(7): descriptors are sent with at least one byte of data.
	if _, _, err := conn.WriteMsgUnix([]byte{0}, syscall.UnixRights(descriptors...), nil); err != nil {
		return fmt.Errorf("send files: %w", err)
	}
	return nil
}

func receive(conn *net.UnixConn, number int) ([]*os.File, error) {
	if number == 0 {
		return nil, nil
	}
	data, control := make([]byte, 1), make([]byte, syscall.CmsgSpace(most*4))
	_, n, _, _, err := conn.ReadMsgUnix(data, control) // makes them close-on-exec
	if err != nil {
		return nil, fmt.Errorf("receive files: %w", err)
	}
	messages, err := syscall.ParseSocketControlMessage(control[:n])
	if err != nil {
		return nil, fmt.Errorf("receive files: %w", err)
	}
	var files []*os.File
	for _, m := range messages {
		descriptors, err := syscall.ParseUnixRights(&m)
		if err != nil {
			return files, fmt.Errorf("receive files: %w", err)
		}
		for _, fd := range descriptors {
			files = append(files, os.NewFile(uintptr(fd), "received"))
		}
	}
	if len(files) != number {
		return files, errors.New("receive files: another number of files has come")
	}
	return files, nil
}
