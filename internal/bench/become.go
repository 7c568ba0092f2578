//go:build darwin || linux

package main

import (
	"bufio"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
)

// serve answers each line at a socket with the same line, until the listener is closed. No
// service does less.
func serve(dir string) (net.Listener, error) {
	l, err := net.Listen("unix", filepath.Join(dir, "ask"))
	if err != nil {
		return nil, err
	}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go echo(conn)
		}
	}()
	return l, nil
}

func echo(conn net.Conn) {
	defer conn.Close()
	line, err := bufio.NewReader(conn).ReadBytes('\n')
	if err == nil {
		_, _ = conn.Write(line) // one who has ended fails by itself
	}
}

// askAndBecome asks the service at a socket and becomes a command. A program in Go that has a
// service know of it before it becomes a command does no less.
func askAndBecome(socket string, command []string) error {
	if len(command) == 0 {
		return errors.New("no command to become")
	}
	conn, err := net.Dial("unix", socket)
	if err != nil {
		return err
	}
	if _, err := conn.Write([]byte(command[0] + "\n")); err != nil {
		return err
	}
	if _, err := bufio.NewReader(conn).ReadBytes('\n'); err != nil {
		return err
	}
	path, err := exec.LookPath(command[0])
	if err != nil {
		return err
	}
	return syscall.Exec(path, command, os.Environ())
}
