package main

import (
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// resident returns the memory of a process, shared pages included.
func resident(pid int) (string, error) {
	out, err := exec.Command("ps", "-o", "rss=", "-p", strconv.Itoa(pid)).Output()
	if err != nil {
		return "", fmt.Errorf("ps: %w", err)
	}
	kib, err := strconv.Atoi(strings.TrimSpace(string(out)))
	if err != nil {
		return "", fmt.Errorf("ps: %w", err)
	}
	return fmt.Sprintf("%.1f MiB", float64(kib)/1024), nil
}

// switches reports that the number is unknown: on macOS only libproc has it, which this
// module does not use.
func switches(int) (int, error) { return 0, errors.ErrUnsupported }

// births reports that the number is unknown: it is read beside switches alone.
func births() (int, error) { return 0, errors.ErrUnsupported }

func processor() string {
	name, err := unix.Sysctl("machdep.cpu.brand_string")
	if err != nil {
		return "unknown processor"
	}
	return name
}

func load() string {
	out, err := exec.Command("sysctl", "-n", "vm.loadavg").Output()
	if words := strings.Fields(string(out)); err == nil && len(words) > 1 {
		return words[1]
	}
	return "unknown"
}
