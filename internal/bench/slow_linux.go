package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"time"
)

// The beats of other programs: tail(1) polls once a second, spfs on Linux reads the mount
// namespace of each process every two and a half seconds.
const (
	tailBeat = time.Second
	spfsBeat = 2500 * time.Millisecond
)

func slowPeers(n int) []peer {
	return []peer{
		{name: "tail --pid", n: n, start: bare, phase: tailBeat, arm: armTail},
		{name: "/proc poll every 2.5 s (spfs)", n: n, start: bare, phase: spfsBeat, arm: armPoll},
	}
}

// armTail returns when tail runs: when it has printed the first byte of its file.
func armTail(pid int) (func() error, error) {
	file, err := os.CreateTemp("", "bench-tail-")
	if err != nil {
		return nil, err
	}
	defer os.Remove(file.Name())
	defer file.Close()
	if _, err := file.WriteString("."); err != nil {
		return nil, err
	}
	tail := exec.Command("tail", "-f", "--pid", strconv.Itoa(pid), file.Name())
	out, err := tail.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := tail.Start(); err != nil {
		return nil, err
	}
	if _, err := io.ReadFull(out, make([]byte, 1)); err != nil {
		return nil, fmt.Errorf("tail --pid: %w", err)
	}
	return tail.Wait, nil
}

func armPoll(pid int) (func() error, error) {
	beat := time.NewTicker(spfsBeat)
	return func() error {
		defer beat.Stop()
		for range beat.C {
			living, err := scan()
			if err != nil || !living[pid] {
				return err
			}
		}
		return nil
	}, nil
}

// scan reads the mount namespace of each process, by which spfs finds the processes of a
// runtime. A zombie has none.
func scan() (map[int]bool, error) {
	names, err := os.ReadDir("/proc")
	if err != nil {
		return nil, err
	}
	living := map[int]bool{}
	for _, name := range names {
		pid, err := strconv.Atoi(name.Name())
		if err != nil {
			continue
		}
		if _, err := os.Readlink("/proc/" + name.Name() + "/ns/mnt"); err == nil {
			living[pid] = true
		}
	}
	return living, nil
}
