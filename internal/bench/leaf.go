package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"
)

// A leaf is the process whose end is measured. It is cat(1), which is small, exists
// everywhere and echoes a byte: so it has exec'ed before it is killed.
type leaf struct {
	cmd    *exec.Cmd
	reaped chan struct{}
}

// startLeaf starts the words, which must exec cat in the same process.
func startLeaf(words ...string) (*leaf, error) {
	cmd := exec.Command(words[0], words[1:]...)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	l := &leaf{cmd: cmd, reaped: make(chan struct{})}
	_, werr := in.Write([]byte{'.'})
	_, rerr := io.ReadFull(out, make([]byte, 1))
	// Reaped at once, as by a shell: kill -0 and tail --pid take a zombie for alive.
	go func() {
		defer close(l.reaped)
		cmd.Wait()
	}()
	if err := errors.Join(werr, rerr); err != nil {
		l.end()
		return nil, fmt.Errorf("start %v: %w", words, err)
	}
	return l, nil
}

func (l *leaf) pid() int { return l.cmd.Process.Pid }

// end kills the leaf, waits until it is reaped, and returns the time of the kill.
func (l *leaf) end() time.Time {
	at := time.Now()
	l.cmd.Process.Kill()
	<-l.reaped
	return at
}
