package resident

import (
	"context"
	"errors"
	"fmt"
	"net"

	"github.com/gemini-monitor/gemini/internal/unixsocket"
	"github.com/gemini-monitor/gemini/internal/varlink"
	"github.com/gemini-monitor/gemini/monitor"
	"github.com/gemini-monitor/gemini/tracker/process"
)

// What the method Join carries. The process that joins is the caller, as the kernel names it.
type joinIn struct {
	Name      string             `json:"name"`
	Owner     process.Identity   `json:"owner"`
	Strangers []process.Identity `json:"strangers,omitempty"`
}

// ErrOutdated reports that the monitor of a runtime is of an older version, which takes no
// process from outside.
var ErrOutdated = errors.New("has a monitor of an older version, which takes no process from outside")

func (s *server) join(ctx context.Context, r *varlink.Request) (any, error) {
	var in joinIn
	if err := r.Decode(&in); err != nil {
		return nil, err
	}
	watching, err := s.watchingOf(key{in.Name, in.Owner})
	if err != nil {
		return nil, err
	}
	return in.carryOut(ctx, r.Conn(), watching)
}

// carryOut makes the process at the other end of a connection a member.
func (in joinIn) carryOut(ctx context.Context, conn *net.UnixConn, w *monitor.Watching) (any, error) {
	peer, err := unixsocket.PeerOf(conn)
	if err == nil {
		left := func() bool { return unixsocket.HungUp(conn) }
		err = w.Join(ctx, monitor.Newcomer{Process: peer.Process, Strangers: in.Strangers, Left: left})
	}
	if errors.Is(err, monitor.ErrUnwatched) {
		err = errLeaving // the next monitor may take it
	}
	if err != nil {
		return nil, refusal(err)
	}
	return struct{}{}, nil
}

// Join has the monitor of a runtime count the calling process as a member. Strangers are
// processes that do not join with it: see [monitor.Newcomer].
//
// It starts no monitor. The error is [monitor.ErrNotExist] where the runtime of that owner is
// gone, [ErrUnwatched] where no monitor answers for it, and [ErrOutdated]. Any other error is
// a refusal, in words.
func Join(ctx context.Context, s *monitor.Store, r *monitor.Runtime, owner process.Identity, strangers []process.Identity) error {
	in := joinIn{r.Name(), owner, strangers}
	err := (&Client{Store: s}).callMonitorOf(ctx, r, methodJoin, in, nil)
	if now, gone := r.Record(); errors.Is(gone, monitor.ErrNotExist) || gone == nil && now.Owner != owner {
		return fmt.Errorf("runtime %q %w any more", r.Name(), monitor.ErrNotExist)
	}
	failed, _ := errors.AsType[*varlink.Error](err)
	switch {
	case err == nil:
		return nil
	case failed != nil && failed.Name == varlink.MethodNotFound:
		return fmt.Errorf("runtime %q %w", r.Name(), ErrOutdated)
	case isDead(err), errors.Is(err, varlink.ErrNoAnswer), failed != nil && (failed.Name == errorLeaving || failed.Name == errorUnwatched):
		return fmt.Errorf("runtime %q %w", r.Name(), ErrUnwatched)
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("runtime %q %w: its monitor does not answer", r.Name(), monitor.ErrRefused)
	}
	return explain(err)
}

// Renew has a resident of an older version hand over, if one serves. The next request starts
// one of this version.
func (c *Client) Renew(ctx context.Context) error { return explain(c.takeOver(ctx)) }
