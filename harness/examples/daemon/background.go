package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"syscall"
)

// inBackground is the command of the process that becomes the daemon. A Go program
// cannot fork: it starts itself.
const inBackground = "run-in-background"

// ready is the descriptor on which the daemon says that it runs, or why it does not.
const ready = 3

// start starts the daemon and returns when it serves.
func (f files) start() error {
	if pid, err := f.running(); err != nil || pid != 0 {
		return errors.Join(err, fmt.Errorf("it runs, PID %d", pid))
	}
	if err := keepDescriptors(); err != nil {
		return err
	}
	program, err := os.Executable()
	if err != nil {
		return err
	}
	answer, end, err := os.Pipe()
	if err != nil {
		return err
	}
	defer answer.Close()
	cmd := exec.Command(program, inBackground, "-pid", f.pid, "-log", f.log)
	cmd.Dir = "/"
	cmd.ExtraFiles = []*os.File{end} // the others are /dev/null
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	err = cmd.Start()
	end.Close()
	if err != nil {
		return err
	}
	said, err := io.ReadAll(answer)
	if err == nil && !bytes.Equal(said, []byte("ready")) {
		err = fmt.Errorf("it does not start: %s", said)
	}
	return err
}

// keepDescriptors makes the daemon inherit no descriptor that this process was given.
func keepDescriptors() error {
	dir, err := os.Open("/dev/fd")
	if err != nil {
		return fmt.Errorf("close the descriptors: %w", err)
	}
	defer dir.Close()
	// Names only: macOS cannot examine the entry of a kqueue, which Go has.
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return fmt.Errorf("close the descriptors: %w", err)
	}
	for _, name := range names {
		if fd, err := strconv.Atoi(name); err == nil && fd > 2 {
			syscall.CloseOnExec(fd)
		}
	}
	return nil
}

// serve is the daemon. It says on the descriptor ready how its start went.
func (f files) serve() error {
	syscall.Umask(0o022)
	syscall.CloseOnExec(ready)
	starter := os.NewFile(ready, "ready")
	terminate := make(chan os.Signal, 1)
	signal.Notify(terminate, syscall.SIGTERM)
	lock, err := f.claim()
	if err == nil {
		err = f.openLog()
	}
	if err != nil {
		fmt.Fprint(starter, err)
		return err
	}
	defer lock.Close() // last: the lock says that the daemon lives
	defer os.Remove(f.pid)
	log.Printf("started, PID %d", os.Getpid())
	fmt.Fprint(starter, "ready")
	starter.Close()
	<-terminate
	log.Print("stopped")
	return nil
}

// claim locks the PID file and writes it. A daemon that ends removes the file before it
// unlocks it, so the file may be gone by the time it is locked.
func (f files) claim() (*os.File, error) {
	for {
		file, err := os.OpenFile(f.pid, os.O_CREATE|os.O_RDWR, 0o644)
		if err != nil {
			return nil, err
		}
		if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
			return nil, errors.Join(fmt.Errorf("lock %s: %w", f.pid, err), file.Close())
		}
		locked, err := file.Stat()
		if err != nil {
			return nil, errors.Join(err, file.Close())
		}
		if named, err := os.Stat(f.pid); err == nil && os.SameFile(named, locked) {
			file.Truncate(0)
			_, err := fmt.Fprintln(file, os.Getpid())
			return file, err
		}
		file.Close()
	}
}

// openLog makes the log package write to the log file.
func (f files) openLog() error {
	file, err := os.OpenFile(f.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	log.SetOutput(file)
	return nil
}
