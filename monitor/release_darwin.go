package monitor

import (
	"context"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// A releaseWatch tells when a lease may have become free: XNU posts
// NOTE_FUNLOCK on a file when a lock on it is released (kpi_vfs.c,
// VNOP_ADVLOCK).
type releaseWatch struct {
	kq   int
	file *os.File
}

// stopIdent is the ident of the event that ends a wait early.
const stopIdent = 1

func watchRelease(lease string) (*releaseWatch, error) {
	file, err := os.Open(lease)
	if err != nil {
		return nil, fmt.Errorf("watch lease: %w", err)
	}
	kq, err := unix.Kqueue()
	if err != nil {
		file.Close()
		return nil, fmt.Errorf("watch lease: %w", err)
	}
	unix.CloseOnExec(kq)
	w := &releaseWatch{kq, file}
	_, err = unix.Kevent(kq, []unix.Kevent_t{
		{Ident: uint64(file.Fd()), Filter: unix.EVFILT_VNODE, Flags: unix.EV_ADD | unix.EV_CLEAR, Fflags: unix.NOTE_FUNLOCK},
		{Ident: stopIdent, Filter: unix.EVFILT_USER, Flags: unix.EV_ADD | unix.EV_CLEAR},
	}, nil, nil)
	if err != nil {
		w.close()
		return nil, fmt.Errorf("watch lease: %w", err)
	}
	return w, nil
}

// wait returns when the lease may have become free, the time is over, or ctx
// ends.
func (w *releaseWatch) wait(ctx context.Context, atMost time.Duration) error {
	defer context.AfterFunc(ctx, w.stop)()
	var events [1]unix.Kevent_t
	limit := unix.NsecToTimespec(int64(atMost))
	if _, err := unix.Kevent(w.kq, nil, events[:], &limit); err != nil && err != unix.EINTR {
		return fmt.Errorf("watch lease: %w", err)
	}
	return ctx.Err()
}

func (w *releaseWatch) stop() {
	trigger := unix.Kevent_t{Ident: stopIdent, Filter: unix.EVFILT_USER, Fflags: unix.NOTE_TRIGGER}
	_, _ = unix.Kevent(w.kq, []unix.Kevent_t{trigger}, nil, nil)
}

func (w *releaseWatch) close() error {
	w.file.Close()
	return unix.Close(w.kq)
}
