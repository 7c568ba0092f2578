package monitor

import (
	"context"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// A releaseWatch tells when a lease may have become free. It watches the file
// for the last close of an open file, which is what frees a lease.
type releaseWatch struct {
	events *os.File
}

func watchRelease(lease string) (*releaseWatch, error) {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return nil, fmt.Errorf("watch lease: %w", err)
	}
	w := &releaseWatch{os.NewFile(uintptr(fd), "inotify")}
	if _, err := unix.InotifyAddWatch(fd, lease, unix.IN_CLOSE); err != nil {
		w.close()
		return nil, fmt.Errorf("watch lease: %w", err)
	}
	return w, nil
}

// wait returns when the lease may have become free, the time is over, or ctx
// ends. The kernel says "closed" a moment before it frees the lock, so look
// again soon if it is not free yet.
func (w *releaseWatch) wait(ctx context.Context, atMost time.Duration) error {
	if err := w.events.SetReadDeadline(time.Now().Add(atMost)); err != nil {
		return fmt.Errorf("watch lease: %w", err)
	}
	defer context.AfterFunc(ctx, func() { _ = w.events.SetReadDeadline(time.Now()) })()
	var events [4096]byte
	if _, err := w.events.Read(events[:]); err != nil && !os.IsTimeout(err) {
		return fmt.Errorf("watch lease: %w", err)
	}
	return ctx.Err()
}

func (w *releaseWatch) close() error { return w.events.Close() }
