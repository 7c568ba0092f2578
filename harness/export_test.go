//go:build darwin || linux

package harness

import (
	"context"
	"os"
	"os/exec"
	"regexp"
	"time"
)

// A Process is a process that StartWithOracle started.
type Process = process

// Close frees an oracle that belongs to no stage.
func (o *Oracle) Close() { o.close() }

// StartWithOracle starts cmd outside of any stage.
func StartWithOracle(cmd *exec.Cmd) (*Oracle, *Process, error) {
	oracle, err := newOracle(nil)
	if err != nil {
		return nil, nil, err
	}
	cmd.ExtraFiles = append(cmd.ExtraFiles, oracle.write)
	process, err := start(cmd, nil, oracle.write)
	return oracle, process, err
}

// OpenAndCloseTerminal opens a terminal, passes a line through it and closes it.
func OpenAndCloseTerminal() error {
	unlock, err := lockEdge()
	if err != nil {
		return err
	}
	t, err := openTerminal(24, 80)
	unlock()
	if err != nil {
		return err
	}
	if _, err := t.replica.WriteString("a line\n"); err != nil {
		return err
	}
	if _, err := t.find(context.Background(), regexp.MustCompile("a line\r\n"), 0); err != nil {
		return err
	}
	return t.Close()
}

// MasterIsPollable reports whether Go's poller owns a terminal's master here.
func MasterIsPollable() (bool, error) {
	t, err := openTerminal(24, 80)
	if err != nil {
		return false, err
	}
	err = t.master.SetReadDeadline(time.Time{})
	return err == nil, t.Close()
}

// Hurry shortens the grace time of a stage that must fail.
func (s *Stage) Hurry() { s.grace = 300 * time.Millisecond }

// OpenPair opens a terminal without a reader.
func OpenPair() (master, replica *os.File, err error) {
	unlock, err := lockEdge()
	if err != nil {
		return nil, nil, err
	}
	defer unlock()
	return openPair(24, 80)
}

// ProcessTable returns what ps shows, with environments where the system shows them.
func ProcessTable(ctx context.Context) (string, error) { return processTable(ctx) }
