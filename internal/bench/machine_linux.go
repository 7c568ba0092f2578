package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
)

// resident returns the memory of a process, and what of it no file backs.
func resident(pid int) (string, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return "", err
	}
	rss, err1 := field(status, "VmRSS")
	anon, err2 := field(status, "RssAnon")
	if err := errors.Join(err1, err2); err != nil {
		return "", err
	}
	return fmt.Sprintf("%.1f MiB, of which %.1f MiB its own", float64(rss)/1024, float64(anon)/1024), nil
}

// switches counts the context switches of all threads of a process so far.
func switches(pid int) (int, error) {
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", pid))
	if err != nil {
		return 0, err
	}
	sum := 0
	for _, file := range files {
		status, err := os.ReadFile(file)
		if err != nil {
			return 0, err
		}
		yielded, err1 := field(status, "voluntary_ctxt_switches")
		pushed, err2 := field(status, "nonvoluntary_ctxt_switches")
		if err := errors.Join(err1, err2); err != nil {
			return 0, err
		}
		sum += yielded + pushed
	}
	return sum, nil
}

// births counts the processes and threads that the machine has made so far (proc_stat(5)). Those
// of other programs wake a monitor that hears of all of them.
func births() (int, error) {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, err
	}
	m := regexp.MustCompile(`(?m)^processes (\d+)$`).FindSubmatch(text)
	if m == nil {
		return 0, errors.New("no processes in /proc/stat")
	}
	return strconv.Atoi(string(m[1]))
}

// field returns the number after "name:" in a status file of /proc.
func field(status []byte, name string) (int, error) {
	m := regexp.MustCompile(`(?m)^` + name + `:\s+(\d+)`).FindSubmatch(status)
	if m == nil {
		return 0, fmt.Errorf("no %s in the process's status", name)
	}
	return strconv.Atoi(string(m[1]))
}

func processor() string {
	info, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return "unknown processor"
	}
	m := regexp.MustCompile(`(?m)^model name\s*: (.*)$`).FindSubmatch(info)
	if m == nil {
		return "unknown processor"
	}
	return string(m[1])
}

func load() string {
	var one string
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	fmt.Sscan(string(text), &one)
	return one
}
