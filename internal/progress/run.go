package progress

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"time"
)

// Run runs a command with its output condensed, and returns its exit status as a shell has
// it. What went wrong otherwise goes to out. out is a terminal if live is set.
//
// SIGINT, SIGQUIT and SIGHUP are not for Run to answer: the terminal sends them to the
// command as well, which cleans up and ends. SIGTERM comes by kill(2) and is passed on.
func Run(out io.Writer, live bool, env, words []string) int {
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGHUP, syscall.SIGTERM)
	defer signal.Stop(signals)
	printer := New(out, live)
	command := exec.Command(words[0], words[1:]...)
	command.Stdin, command.Stdout, command.Stderr = os.Stdin, printer, printer
	command.Env = append(os.Environ(), env...)
	command.WaitDelay = patience
	if err := command.Start(); err != nil {
		printer.print(err.Error() + "\n")
		return notStarted
	}
	ended := make(chan error)
	go func() { ended <- command.Wait() }()
	for {
		select {
		case got := <-signals:
			if got == syscall.SIGTERM {
				_ = command.Process.Signal(got)
			}
		case err := <-ended:
			return finish(printer, command, err)
		}
	}
}

// patience is how long the output is read after the end of the command: a process that it
// has left may hold it open.
const patience = 5 * time.Second

// notStarted is the exit status of a command that was not started.
const notStarted = 127

// finish prints the rest of the output and returns the exit status.
func finish(printer *Printer, command *exec.Cmd, err error) int {
	if errors.Is(err, exec.ErrWaitDelay) {
		printer.print("\n" + command.Path + " has ended, and a process that it started still has its output open\n")
	}
	status := command.ProcessState.ExitCode()
	if wait, ok := command.ProcessState.Sys().(syscall.WaitStatus); ok && wait.Signaled() {
		status = 128 + int(wait.Signal())
	}
	if err := printer.Close(); err != nil && status == 0 {
		return 1
	}
	return status
}
