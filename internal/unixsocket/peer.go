//go:build darwin || linux

package unixsocket

import (
	"errors"
	"fmt"
	"net"

	"github.com/gemini-monitor/gemini/tracker/process"
)

// PeerOf returns the user and the process at the other end of a connection. It believes
// the kernel only. The user is right also where the error is about the process.
//
// The error is [process.ErrGone] where the process has ended, even if another one holds the
// connection, [ErrForeign] where the process is not visible here, and [ErrHungUp] where
// macOS has forgotten it.
//
// A process that has the PID of an ended one is never returned on Linux since 6.5. On an
// older kernel and on macOS it could be, if the peer ended before the call, left the
// connection to a child, and its PID was used again by then.
func PeerOf(conn *net.UnixConn) (Peer, error) {
	var p Peer
	err := control(conn, func(fd int) (err error) {
		if p.User, err = userOf(fd); err != nil {
			return err
		}
		p.Process, err = processOf(fd)
		return err
	})
	if err != nil {
		return p, fmt.Errorf("find the peer of a connection: %w", err)
	}
	return p, nil
}

// UserOf returns the user of [PeerOf] alone, which is cheaper.
func UserOf(conn *net.UnixConn) (user int, err error) {
	err = control(conn, func(fd int) (err error) {
		user, err = userOf(fd)
		return err
	})
	if err != nil {
		return -1, fmt.Errorf("find the user at the other end of a connection: %w", err)
	}
	return user, nil
}

// startOf returns the identity of the live process that has a PID now.
func startOf(pid int) (process.Identity, error) {
	p, err := process.Lookup(pid)
	switch {
	case err != nil:
		return process.Identity{}, err
	case p.State == process.Zombie:
		return process.Identity{}, fmt.Errorf("process %d: %w", pid, process.ErrGone)
	}
	return p.Identity, nil
}

// control calls do with the descriptor of a connection, which stays open meanwhile.
func control(conn *net.UnixConn, do func(fd int) error) error {
	raw, err := conn.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	return errors.Join(raw.Control(func(fd uintptr) { failed = do(int(fd)) }), failed)
}
