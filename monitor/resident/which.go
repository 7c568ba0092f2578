package resident

import (
	"context"
	"fmt"

	"github.com/gemini-monitor/gemini/internal/unixsocket"
	"github.com/gemini-monitor/gemini/internal/varlink"
	"github.com/gemini-monitor/gemini/monitor"
	"github.com/gemini-monitor/gemini/tracker/process"
)

type (
	whichIn struct {
		PID  int    `json:"pid"`
		Boot string `json:"boot,omitempty"`
	}
	whichOut struct {
		Name string `json:"name,omitempty"`
	}
)

// which reads nothing from the process table.
func (s *server) which(ctx context.Context, r *varlink.Request) (any, error) {
	var in whichIn
	if err := r.Decode(&in); err != nil {
		return nil, err
	}
	if in.Boot != "" && in.Boot != s.self.Boot {
		return nil, foreign(in.PID)
	}
	if err := s.awaitSettled(ctx); err != nil {
		return nil, refusal(err)
	}
	return whichOut{s.watches.which(in.PID).name}, nil
}

func foreign(pid int) error {
	return varlink.NewError(errorForeign, fmt.Sprintf("the resident monitor is in another namespace, where %d is another process", pid))
}

// Which asks the resident of a store for the name of the innermost runtime that the process
// with a PID is a member of, and starts no resident. The name is empty where the process is
// a member of none that the resident watches. The error is as that of [Ask].
func Which(ctx context.Context, s *monitor.Store, pid int) (name string, err error) {
	boot, err := process.Boot()
	if err != nil {
		return "", err
	}
	conn, err := unixsocket.Dial(ctx, socketPath(s))
	if err != nil {
		return "", err
	}
	defer conn.Close()
	var out whichOut
	if err := varlink.Call(ctx, conn, methodWhich, whichIn{pid, boot}, &out); err != nil {
		return "", fmt.Errorf("ask the resident monitor: %w", explain(err))
	}
	return out.Name, nil
}
