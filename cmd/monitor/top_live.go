//go:build darwin || linux

package main

import (
	"context"
	"errors"
	"io"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/gemini-monitor/gemini/monitor"
)

const (
	// leastPause is how long it takes from one look to the next at least, and restShare how many
	// times as long as the look.
	leastPause = 100 * time.Millisecond
	restShare  = 4
)

// A showing is a topper at work.
type showing struct {
	*topper
	*screen
	frame   frame
	pending string // the beginning of a key
	due     <-chan time.Time
	next    time.Time // of the next look, at the earliest
}

// live shows the runtimes on a terminal until it is told to end, or the only one is gone.
func (t *topper) live(ctx context.Context, s *screen) error {
	if err := s.begin(); err != nil {
		return err
	}
	err := t.show(ctx, s)
	s.end()
	if errors.Is(err, monitor.ErrNotExist) && t.name != "" {
		t.remarkGone()
		return nil
	}
	return err
}

func (t *topper) show(ctx context.Context, s *screen) error {
	ctx, end := context.WithCancel(ctx)
	changed, followed := make(chan struct{}, 1), make(chan error, 1)
	go func() {
		followed <- t.follow(ctx, func() {
			select {
			case changed <- struct{}{}:
			default:
			}
		})
	}()
	w := &showing{topper: t, screen: s, frame: frame{plain: os.Getenv("NO_COLOR") != ""}}
	err := w.run(changed, followed)
	end()
	return err
}

// run shows what has changed, until it is told to end.
func (w *showing) run(changed <-chan struct{}, followed <-chan error) error {
	second := time.NewTicker(time.Second)
	defer second.Stop()
	removed := false
	for {
		if err := w.draw(); err != nil {
			return err
		}
		var err error
		quit := false
		select {
		case <-second.C:
		case <-changed:
			err = w.lookSoon()
		case <-w.due:
			w.due = nil
			err = w.lookNow()
		case err = <-followed:
			if err == nil { // the only one is removed, and its files are being deleted
				err = w.lookNow()
			}
			removed, followed = true, nil
		case text, open := <-w.keys:
			quit = !open || w.typed(text)
		case each := <-w.signals:
			err = w.heed(each)
		}
		if quit || err != nil {
			return err
		}
		if removed && w.due == nil {
			w.due = time.After(leastPause)
		}
	}
}

// lookSoon looks now, or when the last look is long enough ago.
func (w *showing) lookSoon() error {
	if pause := time.Until(w.next); pause > 0 {
		if w.due == nil {
			w.due = time.After(pause)
		}
		return nil
	}
	return w.lookNow()
}

// lookNow looks. What cannot be read now is noted, and may be read later.
func (w *showing) lookNow() error {
	begun := time.Now()
	err := w.look()
	now := time.Now()
	w.next = now.Add(max(leastPause, restShare*now.Sub(begun)))
	w.frame.note = ""
	if err != nil && !errors.Is(err, monitor.ErrNotExist) {
		w.frame.note = oneLine(err)
		return nil
	}
	return err
}

// draw writes the frame in the size that the terminal has now.
func (w *showing) draw() error {
	w.frame.rows, w.frame.columns, _ = w.size()
	v := view{now: time.Now(), self: os.Geteuid()}
	_, err := io.WriteString(w.screen.out, w.frame.draw(w.table, v))
	return err
}

// typed takes what was typed. It reports whether that ends the command.
func (w *showing) typed(text string) (quit bool) {
	var keys []string
	keys, w.pending = keysOf(w.pending + text)
	for _, k := range keys {
		if w.frame.press(k) {
			return true
		}
	}
	return false
}

// heed takes a signal. A signal that tells the command to end is an error.
func (w *showing) heed(each os.Signal) error {
	switch each {
	case unix.SIGWINCH:
	case unix.SIGTSTP:
		if err := w.pause(); err != nil {
			return err
		}
		return w.lookNow()
	case unix.SIGCONT: // after a SIGSTOP; another program may have changed the terminal
		return w.take()
	default:
		return &monitor.ToldError{Signal: each.(syscall.Signal)}
	}
	return nil
}
