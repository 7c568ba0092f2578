package kernel

import (
	"time"

	"golang.org/x/sys/unix"

	"github.com/gemini-monitor/gemini/internal/core"
	"github.com/gemini-monitor/gemini/tracker/process"
)

// A kqueueSource is a kqueue with one EVFILT_PROC knote for each watched PID.
type kqueueSource struct {
	kq     int
	knotes map[int]struct{} // added, and the exit not yet delivered
	events [64]unix.Kevent_t
}

// wakeIdent is the ident of the one EVFILT_USER event.
const wakeIdent = 1

func newKqueueSource() (*kqueueSource, error) {
	kq, err := unix.Kqueue()
	if err != nil {
		return nil, err
	}
	unix.CloseOnExec(kq)
	w := &kqueueSource{kq: kq, knotes: make(map[int]struct{})}
	err = w.change(unix.Kevent_t{Ident: wakeIdent, Filter: unix.EVFILT_USER, Flags: unix.EV_ADD | unix.EV_CLEAR})
	if err != nil {
		unix.Close(kq)
		return nil, err
	}
	return w, nil
}

func (w *kqueueSource) Forks() process.Forks { return process.ForksAnnounced }

func (w *kqueueSource) Inherit() {}

// Add attaches a knote. No NOTE_EXITSTATUS: that alone needs permission over
// the process (kern_event.c, filt_procattach).
func (w *kqueueSource) Add(pid int) error {
	// EV_ADD on a knote that is there only touches it, even when its process
	// has gone and the PID is another's now (filt_proctouch).
	w.Remove(pid)
	err := w.change(unix.Kevent_t{
		Ident: uint64(pid), Filter: unix.EVFILT_PROC, Flags: unix.EV_ADD,
		Fflags: unix.NOTE_FORK | unix.NOTE_EXEC | unix.NOTE_EXIT | unix.NOTE_REAP,
	})
	if err == unix.ESRCH {
		return process.ErrGone
	}
	if err == nil {
		w.knotes[pid] = struct{}{}
	}
	return err
}

func (w *kqueueSource) Remove(pid int) {
	if _, ok := w.knotes[pid]; !ok {
		return
	}
	delete(w.knotes, pid)
	// ENOENT is all that can go wrong: the knote went when it was reaped.
	_ = w.change(unix.Kevent_t{Ident: uint64(pid), Filter: unix.EVFILT_PROC, Flags: unix.EV_DELETE})
}

// change makes one change and returns its own error: with EV_RECEIPT and room
// for one event, XNU writes exactly one answer and looks at no pending event.
func (w *kqueueSource) change(change unix.Kevent_t) error {
	change.Flags |= unix.EV_RECEIPT
	changes, receipt := [1]unix.Kevent_t{change}, [1]unix.Kevent_t{}
	for {
		n, err := unix.Kevent(w.kq, changes[:], receipt[:], nil)
		switch {
		case err == unix.EINTR:
			continue
		case err != nil:
			return err
		case n == 1 && receipt[0].Data != 0:
			return unix.Errno(receipt[0].Data)
		}
		return nil
	}
}

// Next appends the notices that are there. It waits for the first one until the
// timeout. It may return none: after a wake, a signal or the time.
func (w *kqueueSource) Next(notices []core.Notice, timeout time.Duration) ([]core.Notice, error) {
	var limit *unix.Timespec
	if timeout >= 0 {
		t := unix.NsecToTimespec(int64(timeout))
		limit = &t
	}
	n, err := unix.Kevent(w.kq, nil, w.events[:], limit)
	if err == unix.EINTR {
		return notices, nil
	}
	if err != nil {
		return notices, err
	}
	for _, event := range w.events[:n] {
		if event.Filter == unix.EVFILT_PROC {
			notices = append(notices, w.noticeOf(event))
		}
	}
	return notices, nil
}

func (w *kqueueSource) noticeOf(event unix.Kevent_t) core.Notice {
	notice := core.Notice{PID: int(event.Ident)}
	if event.Fflags&unix.NOTE_FORK != 0 {
		notice.Events |= process.Forked
	}
	if event.Fflags&unix.NOTE_EXEC != 0 {
		notice.Events |= process.Execed
	}
	// A traced process may die without NOTE_EXIT, but none is reaped without
	// NOTE_REAP (docs/xnu.md X7, X8). The first of the two is reported.
	if event.Fflags&(unix.NOTE_EXIT|unix.NOTE_REAP) != 0 {
		notice.Events |= process.Exited
		w.Remove(notice.PID)
	}
	return notice
}

func (w *kqueueSource) Lags() bool { return false }

// Wake makes Next return.
func (w *kqueueSource) Wake() {
	_ = w.change(unix.Kevent_t{Ident: wakeIdent, Filter: unix.EVFILT_USER, Fflags: unix.NOTE_TRIGGER})
}

func (w *kqueueSource) Close() error { return unix.Close(w.kq) }
