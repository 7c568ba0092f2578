//go:build unix

package main

import (
	"context"
	"errors"
	"io"
	"os"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/gemini-monitor/gemini/monitor"
)

// whileRead returns a context that ends when no process reads any more what is written to
// out. Its cause has main die by SIGPIPE, as a write would. Output that is no pipe and no
// socket always has a reader.
func whileRead(ctx context.Context, out io.Writer) (context.Context, func()) {
	if kept, ok := out.(*output); ok {
		out = kept.Writer
	}
	file, ok := out.(*os.File)
	if !ok {
		return ctx, func() {}
	}
	info, err := file.Stat()
	if err != nil || info.Mode()&(os.ModeNamedPipe|os.ModeSocket) == 0 {
		return ctx, func() {}
	}
	awake, wake, err := os.Pipe()
	if err != nil {
		return ctx, func() {}
	}
	ctx, end := context.WithCancelCause(ctx)
	ended := make(chan struct{})
	fds := []unix.PollFd{{Fd: int32(file.Fd()), Events: unix.POLLHUP}, {Fd: int32(awake.Fd()), Events: unix.POLLIN}}
	go func() {
		defer close(ended)
		if hangsUp(fds) {
			end(&monitor.ToldError{Signal: syscall.SIGPIPE})
		}
	}()
	return ctx, func() {
		wake.Close()
		<-ended
		awake.Close()
		end(nil)
	}
}

// hangsUp waits for the end of the reader of the first descriptor. It returns false when the
// second one has ended.
func hangsUp(fds []unix.PollFd) bool {
	for {
		_, err := unix.Poll(fds, -1)
		switch {
		case errors.Is(err, unix.EINTR):
		case err != nil, fds[1].Revents != 0, fds[0].Revents&unix.POLLNVAL != 0:
			return false
		case fds[0].Revents&(unix.POLLERR|unix.POLLHUP) != 0:
			return true
		}
	}
}
