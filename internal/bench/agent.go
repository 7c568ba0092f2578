//go:build darwin || linux

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// An agent is a command that starts strays. ps is the witness for its processes: a word is in
// the command lines of all, and in no other. The monitor knows nothing of that word.
type agent struct {
	cmd    *exec.Cmd
	word   string // a number of seconds, for sleep(1)
	began  time.Time
	reaped chan struct{}
}

// startAgent starts an agent as words have it. The digits make a word of this bench.
func startAgent(words func(...string) []string, digits string) (*agent, error) {
	a := &agent{word: digits + strconv.Itoa(os.Getpid()), reaped: make(chan struct{})}
	line := words("perl", "-e", strayScript, strconv.Itoa(strays), a.word)
	a.cmd = exec.Command(line[0], line[1:]...)
	a.cmd.Stderr = os.Stderr
	a.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	a.began = time.Now()
	if err := a.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		defer close(a.reaped)
		_ = a.cmd.Wait() // it is killed
	}()
	return a, nil
}

func (a *agent) pid() int { return a.cmd.Process.Pid }

// wait waits until the command has ended.
func (a *agent) wait() error {
	select {
	case <-a.reaped:
		return nil
	case <-time.After(patience):
		return errors.New("the command does not end")
	}
}

// up waits until all strays are what they are to be, and the command sleeps.
func (a *agent) up(ctx context.Context) error {
	n := 0
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		if err := ctx.Err(); err != nil {
			return err
		}
		table, err := listProcesses()
		if err != nil {
			return err
		}
		sleeping := func(r listed) bool { return r.args == "sleep "+a.word }
		if n = len(table.those(sleeping)); n == strays+1 {
			return nil
		}
	}
	return fmt.Errorf("%d of %d processes are up", n, strays+1)
}

// living returns the processes of the agent that live.
func (a *agent) living() ([]int, error) {
	table, err := listProcesses()
	return table.those(func(r listed) bool { return strings.HasSuffix(r.args, " "+a.word) }), err
}

// clear kills what lives of the agent.
func (a *agent) clear() error {
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		pids, err := a.living()
		if err != nil || len(pids) == 0 {
			return err
		}
		for _, pid := range pids {
			_ = syscall.Kill(pid, syscall.SIGKILL) // it may have ended
		}
	}
	return errors.New("processes of the agent do not end")
}

// A processList is what ps shows of all processes, without zombies.
type processList []listed

type listed struct {
	pid, parent int
	args        string
}

func listProcesses() (all processList, err error) {
	out, err := exec.Command("ps", "-A", "-ww", "-o", "pid=,ppid=,stat=,args=").Output()
	if err != nil {
		return nil, fmt.Errorf("ps: %w", err)
	}
	for line := range strings.Lines(string(out)) {
		fields := strings.Fields(line)
		if len(fields) < 4 || strings.HasPrefix(fields[2], "Z") {
			continue
		}
		pid, err1 := strconv.Atoi(fields[0])
		parent, err2 := strconv.Atoi(fields[1])
		if err := errors.Join(err1, err2); err != nil {
			return nil, fmt.Errorf("ps: %q: %w", line, err)
		}
		all = append(all, listed{pid, parent, strings.Join(fields[3:], " ")})
	}
	return all, nil
}

// those returns the PIDs of the processes that fit.
func (l processList) those(fit func(listed) bool) (pids []int) {
	for _, p := range l {
		if fit(p) {
			pids = append(pids, p.pid)
		}
	}
	return pids
}

// below returns the PIDs of a process and of its descendants.
func (l processList) below(root int) []int {
	found := l.those(func(p listed) bool { return p.pid == root })
	for i := 0; i < len(found); i++ {
		found = slices.Concat(found, l.those(func(p listed) bool { return p.parent == found[i] }))
	}
	return found
}
