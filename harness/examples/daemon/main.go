// Daemon starts, stops and shows a process in the background.
//
//	daemon start|stop|status [-pid FILE] [-log FILE]
//
// The daemon has a session of its own, no descriptor of the command that started it, and
// the root as its directory. While it lives, it holds a lock on the PID file. status
// exits with 0 if the daemon runs and with 3 if not.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// files are the paths of the daemon, absolute.
type files struct{ pid, log string }

func main() {
	if len(os.Args) < 2 {
		usage()
	}
	var f files
	flags := flag.NewFlagSet("daemon", flag.ExitOnError)
	flags.StringVar(&f.pid, "pid", filepath.Join(os.TempDir(), "daemon.pid"), "PID file")
	flags.StringVar(&f.log, "log", filepath.Join(os.TempDir(), "daemon.log"), "log file")
	flags.Parse(os.Args[2:])
	code, err := f.do(os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, "daemon:", err)
	}
	os.Exit(code)
}

func usage() {
	fmt.Fprintln(os.Stderr, "usage: daemon start|stop|status [-pid FILE] [-log FILE]")
	os.Exit(2)
}

// do executes a command and returns the exit status.
func (f files) do(command string) (code int, err error) {
	for _, path := range []*string{&f.pid, &f.log} {
		if *path, err = filepath.Abs(*path); err != nil {
			return 1, err
		}
	}
	switch command {
	case "start":
		err = f.start()
	case "stop":
		err = f.stop()
	case "status":
		pid, err := f.running()
		if pid == 0 {
			fmt.Println("not running")
			return 3, err
		}
		fmt.Println("running, PID", pid)
		return 0, err
	case inBackground:
		err = f.serve()
	default:
		usage()
	}
	if err != nil {
		code = 1
	}
	return code, err
}

// running returns the PID of the daemon, or 0. A PID file without a lock was left by a
// daemon that was killed.
func (f files) running() (pid int, err error) {
	file, err := os.Open(f.pid)
	if errors.Is(err, os.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	defer file.Close()
	err = syscall.Flock(int(file.Fd()), syscall.LOCK_SH|syscall.LOCK_NB)
	if !errors.Is(err, syscall.EWOULDBLOCK) {
		return 0, err
	}
	text, err := io.ReadAll(file) // not by its name: the daemon may remove the file just now
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(strings.TrimSpace(string(text)))
}

// stop asks the daemon to end, and returns when it has.
func (f files) stop() error {
	pid, err := f.running()
	if err != nil || pid == 0 {
		return err
	}
	if err := syscall.Kill(pid, syscall.SIGTERM); err != nil {
		return fmt.Errorf("stop %d: %w", pid, err)
	}
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) { // no event tells that a lock is free
		if now, err := f.running(); now != pid {
			return err
		}
	}
	return fmt.Errorf("stop %d: it still runs", pid)
}
