//go:build darwin || linux

package puppet

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/gemini-monitor/gemini/harness/internal/descriptor"
	"github.com/gemini-monitor/gemini/harness/internal/wire"
)

// execSelf execs the puppet again with the environment env and keeps the connection.
// The new image answers. Only an exec changes the environment that the kernel shows to
// other processes.
func (p *puppet) execSelf(env []string) (wire.Answer, error) {
	fd, err := p.keepConnection()
	if err != nil {
		return wire.Answer{}, err
	}
	defer syscall.Close(fd)
	env = append(env, wire.DescriptorVariable+"="+strconv.Itoa(fd))
	return wire.Answer{}, syscall.Exec(p.image, []string{string(wire.Puppet), p.name}, env)
}

// exec answers and execs another program. That program inherits the connection, so the
// connection still ends with the process. A second connection to the harness is
// close-on-exec: it ends when the new program is there, and has the error of an exec that
// failed.
func (p *puppet) exec(o wire.Order) (wire.Answer, error) {
	program, err := exec.LookPath(o.Args[0])
	if err != nil {
		return wire.Answer{}, err
	}
	outcome, err := net.DialUnix("unix", nil, &net.UnixAddr{Net: "unix", Name: o.Name})
	if err != nil {
		return wire.Answer{}, err
	}
	defer outcome.Close()
	fd, err := p.keepConnection()
	if err != nil {
		return wire.Answer{}, err
	}
	defer syscall.Close(fd)
	if err := p.answer(wire.Answer{}); err != nil {
		return wire.Answer{}, err
	}
	_, err = fmt.Fprint(outcome, syscall.Exec(program, o.Args, os.Environ()))
	return wire.Answer{}, errors.Join(errAnswered, err)
}

// keepConnection returns a descriptor of the connection that an exec does not close.
func (p *puppet) keepConnection() (int, error) {
	raw, err := p.conn.SyscallConn()
	if err != nil {
		return -1, err
	}
	fd, dup := -1, error(nil)
	err = raw.Control(func(conn uintptr) { fd, dup = syscall.Dup(int(conn)) })
	if err := errors.Join(err, dup); err != nil {
		return -1, fmt.Errorf("keep the connection over exec: %w", err)
	}
	return fd, nil
}

// closeInherited closes the inherited descriptors from 3 up. Go opens its own ones
// close-on-exec, which an inherited one cannot be.
func closeInherited() error {
	inherited, err := descriptor.Inherited()
	if err != nil {
		return err
	}
	var failed []error
	for _, fd := range inherited {
		failed = append(failed, syscall.Close(fd))
	}
	return errors.Join(failed...)
}

// dropTerminal replaces descriptors 0, 1 and 2 by the null device.
func dropTerminal() error {
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer null.Close()
	for fd := range 3 {
		if err := unix.Dup2(int(null.Fd()), fd); err != nil {
			return fmt.Errorf("replace descriptor %d: %w", fd, err)
		}
	}
	return nil
}
