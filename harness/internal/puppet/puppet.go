//go:build darwin || linux

// Package puppet is a process that obeys the harness.
//
// Its only argument is its name. It connects to the socket that HARNESS_PUPPETS names,
// greets, and obeys one order at a time (package wire). It ends when the harness closes
// the connection, so that no puppet outlives its test.
package puppet

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/gemini-monitor/gemini/harness/internal/wire"
)

// Main is the life of a puppet. It does not return. The main goroutine calls it.
func Main(arguments []string) {
	if len(arguments) != 1 {
		fmt.Fprintln(os.Stderr, "usage: puppet NAME")
		end(2)
	}
	go func() {
		if err := run(arguments[0]); err != nil {
			fmt.Fprintln(os.Stderr, "puppet:", err)
			end(3)
		}
		end(0)
	}()
	stay()
}

// end ends this process. os.Exit would wait a second in a program with the race
// detector.
func end(code int) { syscall.Exit(code) }

// run connects to the harness and serves until the connection ends.
func run(name string) error {
	conn, err := connect()
	if err != nil {
		return err
	}
	image, err := os.Executable()
	if err != nil {
		return err
	}
	keepIgnored()
	p := &puppet{name: name, image: image, conn: conn, children: map[int]*os.Process{}}
	return p.serve()
}

// keepIgnored ignores what was ignored when this process was started, as a program without
// handlers does. Go's runtime has installed handlers since.
func keepIgnored() {
	ignored, err := ignoredAtStart()
	if err == nil && len(ignored) > 0 { // no signals stand for all
		signal.Ignore(ignored...)
	}
}

// connect dials the harness, or returns the connection that this process had before
// execSelf.
func connect() (*net.UnixConn, error) {
	kept := os.Getenv(wire.DescriptorVariable)
	if kept == "" {
		address := &net.UnixAddr{Net: "unix", Name: os.Getenv(wire.SocketVariable)}
		return net.DialUnix("unix", nil, address)
	}
	os.Unsetenv(wire.DescriptorVariable) // children do not get it
	fd, err := strconv.Atoi(kept)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", wire.DescriptorVariable, err)
	}
	syscall.CloseOnExec(fd)
	file := os.NewFile(uintptr(fd), "connection")
	defer file.Close() // FileConn keeps a copy
	conn, err := net.FileConn(file)
	if err != nil {
		return nil, fmt.Errorf("keep the connection over exec: %w", err)
	}
	return conn.(*net.UnixConn), nil
}

// errAnswered reports that the answer was sent before the order was obeyed.
var errAnswered = errors.New("answered already")

// A puppet is this process, with its connection and children.
type puppet struct {
	name     string
	image    string // path; on Linux /proc/self/exe ends with the first thread
	conn     *net.UnixConn
	children map[int]*os.Process // started and not yet reaped, by PID
}

// serve greets, then obeys until the harness closes the connection.
func (p *puppet) serve() error {
	if err := p.answer(wire.Answer{}); err != nil {
		return err
	}
	orders := json.NewDecoder(p.conn)
	for {
		var order wire.Order
		if err := orders.Decode(&order); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("read an order: %w", err)
		}
		done, err := p.obey(order)
		if errors.Is(err, errAnswered) {
			continue
		}
		if err != nil {
			done.Error = err.Error()
			errors.As(err, &done.Errno)
		}
		if err := p.answer(done); err != nil {
			return err
		}
	}
}

// answer adds the standing of this process to a and sends it.
func (p *puppet) answer(a wire.Answer) error {
	a.Name = p.name
	a.PID, a.Parent, a.Group = os.Getpid(), os.Getppid(), syscall.Getpgrp()
	a.Session, _ = unix.Getsid(0) // it cannot fail for the calling process
	a.Start, _ = startTime()      // 0 if it cannot be read
	a.Time = time.Now()
	if err := json.NewEncoder(p.conn).Encode(a); err != nil {
		return fmt.Errorf("answer: %w", err)
	}
	return nil
}
