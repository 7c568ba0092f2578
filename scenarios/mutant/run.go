//go:build darwin || linux

package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// The commands with which a mutant starts itself, to leave the tree that it monitors.
const (
	detachVerb = "detach" // start the rest of the arguments and end
	watchVerb  = "watch"  // RUNTIME PID: be the monitor
	serveVerb  = "serve"  // be the monitor of all runtimes
	guardVerb  = "guard"  // start that one anew when it was killed
)

// run makes the runtime, starts its monitor, waits until that is ready, and execs the
// command.
func (m mutant) run(runtime string, argv []string) error {
	program, err := exec.LookPath(argv[0])
	if err != nil {
		return err
	}
	if m.believesName {
		if os.Getenv("MONITOR_RUNTIME") != "" {
			return syscall.Exec(program, argv, os.Environ())
		}
		os.Setenv("MONITOR_RUNTIME", runtime)
	}
	if m.sweepsAtStart {
		sweep()
	}
	if err := create(runtime); err != nil {
		return err
	}
	lease, err := takeLease(runtime)
	if err != nil {
		return err
	}
	if m.start == nil {
		if err := m.startMonitor(runtime, os.Getpid()); err != nil {
			return err
		}
	}
	if err := surviveExec(lease); err != nil {
		return err
	}
	if m.start != nil { // the command is a child, and that child is the owner
		return m.start(m, runtime, program, argv)
	}
	return syscall.Exec(program, argv, os.Environ())
}

// startMonitor starts the monitor of the runtime and returns when it is ready.
func (m mutant) startMonitor(runtime string, owner int) error {
	if m.resident {
		return m.ask(runtime, owner)
	}
	return m.startApart(watchVerb, runtime, strconv.Itoa(owner))
}

// startApart starts this program outside of the tree and returns when it is ready.
func (m mutant) startApart(verb ...string) error {
	self, err := exec.LookPath(os.Args[0]) // not os.Executable: the name is the mutant
	if err != nil {
		return err
	}
	cmd := exec.Command(self, append([]string{detachVerb, self}, verb...)...)
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: !m.staysInGroup}
	ready, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start the monitor: %w", err)
	}
	line := make([]byte, 1)
	if _, err := io.ReadFull(ready, line); err != nil {
		return fmt.Errorf("the monitor did not start: %w", err)
	}
	return cmd.Wait()
}

// detach starts the monitor and ends, so that the monitor is a child of init and not a
// descendant of the owner.
func detach(argv []string) error {
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Stdout = os.Stdout
	return cmd.Start()
}

// begin monitors the runtime and removes it when it is empty.
func (m mutant) begin(runtime, owner string) error {
	pid, err := strconv.Atoi(owner)
	if err != nil {
		return err
	}
	switch {
	case m.keepsHigh:
		closeInherited(10)
	case !m.keepsDescriptors:
		closeInherited(256)
	}
	w, err := newWatch(runtime, pid)
	if err != nil {
		return err
	}
	if m.sweepsAtStart {
		if err := os.WriteFile(ownerPath(runtime), []byte(owner), 0o600); err != nil {
			return err
		}
	}
	return m.keep(w, runtime, ready)
}

// ready tells the process that has started this one that it is ready.
func ready() {
	fmt.Print("!")
	os.Stdout.Close()
}

// keep monitors a runtime and removes it when it is empty.
func (m mutant) keep(w *watch, runtime string, ready func()) error {
	if err := m.watch(w, ready); err != nil {
		return err // unknown is not empty
	}
	if m.crossesMounts {
		return os.RemoveAll(directory(runtime))
	}
	return remove(runtime)
}

// closeInherited closes the inherited descriptors below a number. Go opens its own ones
// close-on-exec.
func closeInherited(below int) {
	for fd := 3; fd < below; fd++ {
		flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0)
		if err == nil && flags&unix.FD_CLOEXEC == 0 {
			syscall.Close(fd)
		}
	}
}

// startChild starts the command as a child that waits before its exec until its monitor
// is ready.
func startChild(m mutant, runtime, program string, argv []string, attr *syscall.SysProcAttr) (*exec.Cmd, error) {
	gate, open, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	// A free number without close-on-exec: the child inherits it.
	fd, err := unix.FcntlInt(gate.Fd(), unix.F_DUPFD, 50)
	if err != nil {
		return nil, err
	}
	// sh reads a line, then execs the command.
	script := fmt.Sprintf(`read -r go </dev/fd/%d; exec "$@"`, fd)
	cmd := exec.Command("/bin/sh", append([]string{"-c", script, "sh", program}, argv[1:]...)...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = attr
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	syscall.Close(fd)
	if err := m.startMonitor(runtime, cmd.Process.Pid); err != nil {
		return nil, err
	}
	_, err = open.WriteString("go\n")
	return cmd, err
}

// passSignals sends the signals that this process gets to the child.
func passSignals(child *os.Process) {
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, syscall.SIGHUP, syscall.SIGINT, syscall.SIGTERM)
	go func() {
		for s := range signals {
			child.Signal(s)
		}
	}()
}

// endAs ends this process with the status of the child.
func endAs(state *os.ProcessState) {
	ended := state.Sys().(syscall.WaitStatus)
	if ended.Signaled() {
		signal.Reset(ended.Signal())
		syscall.Kill(os.Getpid(), ended.Signal())
		select {} // until the signal arrives
	}
	os.Exit(ended.ExitStatus())
}
