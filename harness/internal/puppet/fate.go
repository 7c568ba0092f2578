//go:build darwin || linux

package puppet

import (
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/gemini-monitor/gemini/harness/internal/wire"
)

// writeTerminal writes a line to the controlling terminal. It opens the terminal each
// time, because a process may lose it and get another one.
func writeTerminal(line string) error {
	terminal, err := os.OpenFile("/dev/tty", os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(terminal, line)
	return errors.Join(err, terminal.Close())
}

// changeUser sets user and group to id and drops other groups. It sets the user last:
// the other calls need root.
func changeUser(id int) error {
	if err := syscall.Setgroups(nil); err != nil {
		return fmt.Errorf("leave all groups: %w", err)
	}
	if err := syscall.Setgid(id); err != nil {
		return fmt.Errorf("change the group: %w", err)
	}
	if err := syscall.Setuid(id); err != nil {
		return fmt.Errorf("change the user: %w", err)
	}
	return nil
}

// crash makes Go's runtime crash this process by SIGABRT, without a core file and
// without a stack on the terminal.
func (p *puppet) crash() (wire.Answer, error) {
	if err := unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}); err != nil {
		return wire.Answer{}, fmt.Errorf("forbid cores: %w", err)
	}
	if err := dropTerminal(); err != nil {
		return wire.Answer{}, err
	}
	if err := p.answer(wire.Answer{}); err != nil {
		return wire.Answer{}, err
	}
	debug.SetTraceback("crash")
	panic("ordered to crash")
}
