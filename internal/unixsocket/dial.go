//go:build darwin || linux

package unixsocket

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"time"

	"golang.org/x/sys/unix"
)

// The pauses of Dial while the queue of the listener is full.
const (
	firstPause   = time.Millisecond
	longestPause = 50 * time.Millisecond
)

// Dial connects to the socket at an absolute path of any length. It tries until ctx ends
// while the queue of the listener is full; on macOS a full queue is [ErrRefused] at once.
//
// The error is [fs.ErrNotExist] where nothing has the name, [ErrRefused] where no process
// listens, [ErrNotSocket] where the file is no socket, and that of ctx when it has ended.
// None of them but the first means that no process serves the path.
func Dial(ctx context.Context, path string) (*net.UnixConn, error) {
	for pause := firstPause; ; pause = min(2*pause, longestPause) {
		conn, err := dial(ctx, path)
		if err == nil {
			return conn, nil
		}
		if !errors.Is(err, unix.EAGAIN) {
			return nil, fmt.Errorf("connect to %s: %w", path, explain(path, err))
		}
		again := time.NewTimer(pause/2 + rand.N(pause))
		select {
		case <-again.C:
		case <-ctx.Done():
			again.Stop()
			return nil, fmt.Errorf("connect to %s: %w: its queue is full (%w)", path, ctx.Err(), err)
		}
	}
}

func dial(ctx context.Context, path string) (conn *net.UnixConn, err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	err = reach(path, func(name string) (err error) {
		conn, err = new(net.Dialer).DialUnix(ctx, "unix", nil, &net.UnixAddr{Net: "unix", Name: name})
		return err
	})
	return conn, err
}

// explain finds the sentinel for an error of connect(2). Linux refuses also where a file is
// no socket; macOS does not (docs/linux.md L56, docs/xnu.md X53).
func explain(path string, err error) error {
	if op, ok := errors.AsType[*net.OpError](err); ok {
		err = op.Err // without the name, which may lead through a descriptor
	}
	switch {
	case errors.Is(err, unix.ENOTSOCK):
		return failure(ErrNotSocket, err)
	case errors.Is(err, unix.ECONNREFUSED):
		var stat unix.Stat_t
		if unix.Stat(path, &stat) == nil && stat.Mode&unix.S_IFMT != unix.S_IFSOCK {
			return failure(ErrNotSocket, fmt.Errorf("%s: %w", kindOf(&stat), err))
		}
		return failure(ErrRefused, err)
	}
	return err
}
