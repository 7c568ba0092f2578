package resident

import (
	"context"
	"errors"
	"fmt"

	"github.com/gemini-monitor/gemini/internal/unixsocket"
)

// listen opens the door: the socket of the store. What a dead resident left there goes
// first. Only the holder of the lock does that.
func (s *server) listen() error {
	path := socketPath(s.Store)
	if err := unixsocket.Remove(path); err != nil {
		return fmt.Errorf("listen at %s: %w", path, err)
	}
	door, err := unixsocket.Listen(path)
	if err != nil {
		return err
	}
	s.mu.Lock()
	s.door = door
	s.mu.Unlock()
	s.doors.Go(func() {
		if err := s.protocol.Serve(context.Background(), door); err != nil {
			s.Log.Error("the socket accepts no connection any more", "error", err)
			_ = door.Close() // lookAround makes another one
			s.stirred()
		}
	})
	return nil
}

// lookAround sees to it that clients find this resident. It returns an error where the
// store is not the one that it serves any more.
func (s *server) lookAround() error {
	if err := holds(s.Store, s.Lock); errors.Is(err, errReplaced) {
		return err
	}
	s.mu.Lock()
	door := s.door
	s.mu.Unlock()
	if door.Here() {
		return nil
	}
	_ = door.Close()
	err := s.listen()
	switch {
	case err == nil:
		s.Log.Warn("the socket was removed; it is made anew")
		s.shut = ""
	case err.Error() != s.shut: // what is in its place may stay long
		s.Log.Warn("no socket: runtimes get monitors of their own", "error", err)
		s.shut = err.Error()
	}
	return nil
}
