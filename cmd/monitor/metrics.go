package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/gemini-monitor/gemini/internal/detach"
	"github.com/gemini-monitor/gemini/monitor"
	"github.com/gemini-monitor/gemini/monitor/resident"
	"github.com/gemini-monitor/gemini/tracker/process"
)

// metricsProgram serves the metrics of a store. It is not part of this program, whose
// every start its libraries would slow down.
const metricsProgram = "monitor-metrics"

var (
	metricsAnswer = 10 * time.Second // how long it may take to begin
	metricsEnd    = 2 * time.Second  // how long it may take to end
)

// A metricsServer is the program that serves metrics, as a child. Its standard input is a
// pipe whose other end only this process holds, so it ends with this process, by whatever
// way that ends.
type metricsServer struct {
	self    process.Identity
	cmd     *exec.Cmd
	hold    *os.File
	ending  atomic.Bool
	ended   chan struct{}
	address string // as the program tells it
}

// takeMetrics takes the address of metrics from the command line.
func (s *service) takeMetrics(address string, how role, args []string) (err error) {
	switch {
	case how != (role{}):
		return usageError("--metrics is for a monitor in the foreground")
	case len(args) > 0:
		return usageError("--metrics is about all runtimes of the store, and takes no name")
	}
	if s.metrics, err = resident.MetricsAddress(address); err != nil {
		return usageError("--metrics %w", err)
	}
	return nil
}

// serveMetrics starts the program and returns when it serves. The caller stops it. After
// an error nothing runs.
func (s *service) serveMetrics(ctx context.Context, store *monitor.Store, log *slog.Logger) (*metricsServer, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	program, err := findMetrics(filepath.Dir(self))
	if err != nil {
		return nil, err
	}
	m, err := startMetrics(ctx, program, "-child", "-store", store.Dir(), "-listen", s.metrics,
		"-log-level", s.logLevel, "-log-format", s.logFormat)
	if err != nil {
		return nil, fmt.Errorf("serve metrics: %w", err)
	}
	log.Info("serving metrics", "address", m.address, "process", m.self.PID)
	go m.watch(log)
	return m, nil
}

// findMetrics returns the path of the program: in the directory of this one, or in PATH.
func findMetrics(beside string) (string, error) {
	path, err := exec.LookPath(filepath.Join(beside, metricsProgram))
	if err == nil {
		return filepath.Abs(path)
	}
	path, err = search(metricsProgram)
	switch {
	case err == nil:
		return filepath.Abs(path)
	case errors.Is(err, fs.ErrNotExist):
		return "", fmt.Errorf("--metrics needs the program %s, which is neither in %s nor in PATH", metricsProgram, beside)
	default:
		return "", fmt.Errorf("--metrics needs the program %s: %w: %w", metricsProgram, errNotExecutable, lookCause(err))
	}
}

// startMetrics starts the program and waits for its answer. The program gets nothing of
// this process but standard error.
func startMetrics(ctx context.Context, program string, args ...string) (*metricsServer, error) {
	theirs, hold, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	answer, told, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(err, theirs.Close(), hold.Close())
	}
	defer answer.Close()
	m := &metricsServer{cmd: exec.Command(program, args...), hold: hold, ended: make(chan struct{})}
	m.cmd.Stdin, m.cmd.Stdout, m.cmd.Stderr = theirs, told, os.Stderr
	detach.Outside(m.cmd)
	err = m.cmd.Start()
	theirs.Close()
	told.Close()
	if err != nil {
		return nil, errors.Join(err, hold.Close())
	}
	if err := m.await(ctx, answer); err != nil {
		_ = hold.Close()
		_ = m.cmd.Process.Kill() // it may have ended
		_ = m.cmd.Wait()
		if errors.Is(err, io.EOF) {
			err = fmt.Errorf("%s ended without an answer: %v", program, m.cmd.ProcessState)
		}
		return nil, err
	}
	return m, nil
}

// await reads the answer of the program: one line.
func (m *metricsServer) await(ctx context.Context, answer *os.File) error {
	limited, done := context.WithTimeoutCause(ctx, metricsAnswer, fmt.Errorf("%s did not answer in time", m.cmd.Path))
	defer done()
	// A deadline in the past makes the read return at once.
	defer context.AfterFunc(limited, func() { _ = answer.SetReadDeadline(time.Unix(1, 0)) })()
	line, err := bufio.NewReader(io.LimitReader(answer, 64<<10)).ReadString('\n')
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return context.Cause(limited)
	}
	if err != nil {
		return err
	}
	kind, text, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
	switch kind {
	case "error":
		return errors.New(text)
	case "ready":
		m.address = text
		p, err := process.Lookup(m.cmd.Process.Pid)
		m.self = p.Identity
		return err
	}
	return fmt.Errorf("%s gave an answer that is none: %q", m.cmd.Path, line)
}

// watch reaps the program. Runtimes are watched on without it.
func (m *metricsServer) watch(log *slog.Logger) {
	defer close(m.ended)
	_ = m.cmd.Wait()
	if !m.ending.Load() {
		log.Error("metrics are not served any more: the program ended", "how", m.cmd.ProcessState)
	}
}

// stop ends the program and returns when it has ended: its address is free then.
func (m *metricsServer) stop() {
	m.ending.Store(true)
	_ = m.hold.Close()
	select {
	case <-m.ended:
	case <-time.After(metricsEnd):
		_ = m.cmd.Process.Kill()
		<-m.ended
	}
}
