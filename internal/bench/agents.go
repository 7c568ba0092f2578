//go:build darwin || linux

package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"syscall"
	"time"
)

// strays is how many processes an agent starts.
const strays = 50

// strayScript is an agent in perl: what a tool of a coding agent, or a job of a CI server,
// starts and does not end. Each stray is the child of a process that has ended, and has a
// session and a group of its own, no environment and no descriptor. All have the last
// argument in their command line.
const strayScript = `use POSIX ();
	my ($strays, $word) = @ARGV;
	for (1 .. $strays) {
		defined(my $middle = fork) or die "fork: $!";
		next if $middle;
		defined(my $stray = fork) or die "fork: $!";
		POSIX::_exit(0) if $stray;
		POSIX::setsid();
		POSIX::close($_) for 0 .. 255;
		exec "env", "-i", "sleep", $word;
	}
	1 while wait > 0;
	exec "sleep", $word;`

// agentLimit is the time limit of an agent, where it gets one. All its strays are up before.
const agentLimit = 2 * time.Second

// An ending is one way to end what an agent has started.
type ending struct {
	name string
	// words start the agent's command.
	words func(command ...string) []string
	// end returns when it takes the agent for ended.
	end func(a *agent) error
	// limited ends the agent at agentLimit, and the time counts from there.
	limited bool
}

// endings returns the ways to end an agent: ours, and those of others.
func (b bench) endings() []ending {
	name := func(a *agent) string { return "agent-" + a.word }
	return []ending{
		{name: "monitor stop", words: func(command ...string) []string {
			return append([]string{b.monitor, "run", "--name", "agent-" + command[len(command)-1], "--"}, command...)
		}, end: func(a *agent) error { return succeed(b.monitor, "stop", name(a)) }},
		{name: "monitor run --timeout 2", limited: true, words: func(command ...string) []string {
			return append([]string{b.monitor, "run", "--timeout", "2", "--"}, command...)
		}, end: (*agent).wait},
		{name: "kill of the process group", words: plain, end: (*agent).killGroup},
		{name: "kill by a walk of the tree in ps", words: plain, end: (*agent).killTree},
		{name: "timeout -k 1 2", limited: true, words: func(command ...string) []string {
			return append([]string{"timeout", "-k", "1", "2"}, command...)
		}, end: (*agent).wait},
	}
}

func plain(command ...string) []string { return command }

func succeed(words ...string) error {
	if out, err := exec.Command(words[0], words[1:]...).CombinedOutput(); err != nil {
		return fmt.Errorf("%v: %w: %s", words, err, out)
	}
	return nil
}

// agents prints how many strays each way to end an agent leaves, and how long it takes.
func (b bench) agents(ctx context.Context) (err error) {
	defer func() { err = errors.Join(err, endResident(b.store)) }()
	if _, err := exec.LookPath("perl"); err != nil {
		fmt.Println("an agent: perl is not installed")
		return nil
	}
	if err := b.warm(); err != nil {
		return err
	}
	ways := b.endings()
	times, left := make([]samples, len(ways)), make([][]int, len(ways))
	for i := range b.slow / 2 {
		for k, way := range ways {
			if _, err := exec.LookPath(way.words("perl")[0]); err != nil {
				continue
			}
			took, survivors, err := way.once(ctx, fmt.Sprintf("%d.%d", 1000+i, 1+k))
			if err != nil {
				return fmt.Errorf("%s: %w", way.name, err)
			}
			times[k], left[k] = append(times[k], took), append(left[k], survivors)
		}
	}
	fmt.Printf("%-34s %6s %10s %10s %10s\n", fmt.Sprintf("an agent with %d strays is ended", strays), "n", "median", "max", "survivors")
	for k, way := range ways {
		if len(times[k]) == 0 {
			fmt.Printf("%-34s not installed\n", way.name)
			continue
		}
		fmt.Printf("%-34s %6d %10s %10s %10s\n", way.name, len(times[k]), ms(times[k].median()), ms(slices.Max(times[k])), span(left[k]))
	}
	return nil
}

// span returns the smallest and the largest number.
func span(n []int) string {
	low, high := slices.Min(n), slices.Max(n)
	if low == high {
		return fmt.Sprint(low)
	}
	return fmt.Sprintf("%d to %d", low, high)
}

// once starts an agent, ends it, and returns how long that took and how many processes of it
// survived. It kills those.
func (e ending) once(ctx context.Context, word string) (took time.Duration, survivors int, err error) {
	a, err := startAgent(e.words, word)
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, a.clear()) }()
	if err := a.up(ctx); err != nil {
		return 0, 0, err
	}
	begin := time.Now()
	if e.limited {
		if begin.Sub(a.began) > agentLimit {
			return 0, 0, errors.New("the strays were not up before the time limit")
		}
		begin = a.began.Add(agentLimit)
	}
	if err := e.end(a); err != nil {
		return 0, 0, err
	}
	took = time.Since(begin)
	pids, err := a.living()
	return took, len(pids), err
}

// killGroup kills the process group of the command, and waits for the command.
func (a *agent) killGroup() error {
	if err := syscall.Kill(-a.pid(), syscall.SIGKILL); err != nil {
		return err
	}
	return a.wait()
}

// killTree kills the command and its descendants, until ps shows none any more.
func (a *agent) killTree() error {
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		table, err := listProcesses()
		if err != nil {
			return err
		}
		found := table.below(a.pid())
		if len(found) == 0 {
			return nil
		}
		for _, pid := range found {
			_ = syscall.Kill(pid, syscall.SIGKILL) // it may have ended
		}
	}
	return errors.New("the walk finds processes again and again")
}
