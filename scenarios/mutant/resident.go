//go:build darwin || linux

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"sync"
	"syscall"

	"github.com/gemini-monitor/gemini/internal/unixsocket"
)

// A mutant that is a resident monitors all runtimes in one process. That process holds a
// lock as long as it lives, and so does its guard. Each waits for the lock of the other,
// which is free when that has ended, and starts it anew then.
func lockPath(verb string) string { return filepath.Join(os.Getenv("MONITOR_STORE"), verb+".lock") }

func socketPath() string { return filepath.Join(os.Getenv("MONITOR_STORE"), "socket") }

// holdLock returns the locked file of a process, when no other process has it.
func holdLock(verb string) (*os.File, error) {
	file, err := os.OpenFile(lockPath(verb), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	for {
		switch err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX); err {
		case nil:
			return file, nil
		case syscall.EINTR:
		default:
			file.Close()
			return nil, err
		}
	}
}

// awaitDeath waits until no process holds the lock of a verb.
func awaitDeath(verb string) error {
	lock, err := holdLock(verb)
	if err != nil {
		return err
	}
	return lock.Close()
}

// ask has the resident monitor a runtime.
func (m mutant) ask(runtime string, owner int) error {
	for range 20 {
		answer, err := askOnce(runtime, owner)
		if err == nil && answer != "" {
			return errors.New(answer)
		}
		if err == nil {
			return nil
		}
		if err := m.startResident(); err != nil {
			return err
		}
	}
	return errors.New("no resident answers")
}

// startResident starts a resident where none answers. Processes that do it at the same
// time wait for each other.
func (m mutant) startResident() error {
	starts, err := holdLock("start")
	if err != nil {
		return err
	}
	defer starts.Close()
	if conn, err := unixsocket.Dial(context.Background(), socketPath()); err == nil {
		return conn.Close()
	}
	return m.startApart(serveVerb)
}

// askOnce returns the answer of the resident, empty for yes.
func askOnce(runtime string, owner int) (string, error) {
	conn, err := unixsocket.Dial(context.Background(), socketPath())
	if err != nil {
		return "", err
	}
	defer conn.Close()
	if _, err := fmt.Fprintf(conn, "%s %d\n", runtime, owner); err != nil {
		return "", err
	}
	line, err := bufio.NewReader(conn).ReadString('\n')
	return line[:max(0, len(line)-1)], err
}

// A resident is the process that monitors all runtimes.
type resident struct {
	mutant
	door *unixsocket.Listener

	mu     sync.Mutex
	busy   int  // runtimes that are monitored, and connections
	served bool // there has been a runtime
}

// serve is the work of the resident. It ends when there is nothing to monitor.
func (m mutant) serve() error {
	closeInherited(256)
	lock, err := holdLock(serveVerb)
	if err != nil {
		return err
	}
	defer lock.Close()
	if err := unixsocket.Remove(socketPath()); err != nil {
		return err
	}
	r := &resident{mutant: m}
	if r.door, err = unixsocket.Listen(socketPath()); err != nil {
		return err
	}
	r.adopt()
	if err := m.startGuard(); err != nil {
		return err
	}
	go func() {
		for awaitDeath(guardVerb) == nil && m.startGuard() == nil {
		}
	}()
	ready()
	for {
		conn, err := r.door.Accept()
		if errors.Is(err, net.ErrClosed) {
			return nil
		}
		if err == nil {
			r.begin()
			go r.serveOne(conn)
		}
	}
}

func (r *resident) begin() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.busy++
}

// end closes the door after the last runtime. A client that waits there is refused, and
// asks the next resident.
func (r *resident) end(served bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.busy--
	r.served = r.served || served
	if r.busy == 0 && r.served {
		_ = r.door.Unlink()
		r.door.Close()
	}
}

// adopt monitors the runtimes that an earlier resident has left. It waits for the end of
// the processes that have inherited their leases.
func (r *resident) adopt() {
	entries, _ := os.ReadDir(directory(""))
	for i, e := range entries {
		lease, err := os.OpenFile(leasePath(e.Name()), os.O_RDWR, 0)
		if err != nil || r.forgets && i == 0 {
			continue
		}
		r.begin()
		go func() {
			defer r.end(true)
			defer lease.Close()
			if (&watch{lease: lease}).awaitLease() == nil {
				_ = remove(e.Name())
			}
		}()
	}
}

// serveOne monitors the runtime that a client asks for.
func (r *resident) serveOne(conn *net.UnixConn) {
	var runtime string
	var owner int
	_, err := fmt.Fscanf(conn, "%s %d\n", &runtime, &owner)
	defer func() { r.end(err == nil) }()
	defer conn.Close()
	if err != nil {
		return // the client looks whether a resident is there
	}
	if !r.believesSender {
		peer, err := unixsocket.PeerOf(conn)
		if err != nil {
			fmt.Fprintln(conn, err)
			return
		}
		owner = peer.Process.PID
	}
	w, err := newWatch(runtime, owner)
	if err != nil {
		fmt.Fprintln(conn, err)
		return
	}
	defer w.lease.Close()
	defer w.watcher.Close()
	_ = r.keep(w, runtime, func() {
		_, _ = io.WriteString(conn, "\n")
		conn.Close()
	})
}

// startGuard starts a guard where there is none.
func (m mutant) startGuard() error {
	lock, err := os.OpenFile(lockPath(guardVerb), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	err = syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	lock.Close()
	switch err {
	case nil:
		return m.startApart(guardVerb)
	case syscall.EWOULDBLOCK:
		return nil
	}
	return err
}

// guard is the work of the guard. It ends with a resident that had nothing to monitor.
func (m mutant) guard() error {
	closeInherited(256)
	lock, err := holdLock(guardVerb)
	if err != nil {
		return err
	}
	defer lock.Close()
	ready()
	for {
		if err := awaitDeath(serveVerb); err != nil {
			return err
		}
		left, _ := os.ReadDir(directory(""))
		if len(left) == 0 || m.guardGivesUp {
			return nil
		}
		if err := m.startResident(); err != nil {
			return err
		}
	}
}
