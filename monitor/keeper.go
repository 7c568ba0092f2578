package monitor

import (
	"context"
	"fmt"
	"os"
	"strings"
	"syscall"

	"github.com/gemini-monitor/gemini/internal/detach"
)

// A Keeper has a monitor, in another process, watch the runtime that the calling process
// is the owner of.
type Keeper interface {
	// Watch returns when the runtime is watched, or why it is not. It returns when ctx
	// ends.
	Watch(ctx context.Context, r *Runtime) error
	// Leave has the monitor that watches the runtime, or may be about to, end that and
	// leave the runtime as it is. It is called again until the lock of the runtime is
	// free.
	Leave(ctx context.Context, r *Runtime)
}

// An OwnMonitor starts a monitor for the runtime alone. It is a [Keeper].
type OwnMonitor struct {
	// Command returns the command line of a program that starts the monitor of a
	// runtime outside of it: "monitor serve --detach -- NAME".
	Command func(name string) []string
}

// Watch implements [Keeper].
func (m OwnMonitor) Watch(ctx context.Context, r *Runtime) error {
	log, err := os.OpenFile(r.path(logFile), os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return cause(err)
	}
	defer log.Close()
	if err := detach.Start(ctx, m.Command(r.name), log, nil); err != nil {
		return fmt.Errorf("%w%s", err, lastLine(r.path(logFile)))
	}
	return nil
}

// Leave implements [Keeper]: it ends the monitor.
func (OwnMonitor) Leave(_ context.Context, r *Runtime) {
	// A monitor that was just being started may be in the record a little later.
	if record, err := r.Record(); err == nil && record.Monitor != nil {
		_ = record.Monitor.Signal(syscall.SIGKILL) // it may have ended by itself
	}
}

// lastLine returns the last line of a log, to be put behind an error.
func lastLine(path string) string {
	text, _ := os.ReadFile(path)
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	if last := lines[len(lines)-1]; last != "" {
		return ": " + last
	}
	return ""
}
