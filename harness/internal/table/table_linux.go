package table

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// All returns the rows of all processes by PID. A process that ends meanwhile may be left
// out.
func All() (map[int]Row, error) {
	proc, err := os.Open("/proc")
	if err != nil {
		return nil, fmt.Errorf("read the process table: %w", err)
	}
	names, err := proc.Readdirnames(-1)
	proc.Close()
	if err != nil {
		return nil, fmt.Errorf("read the process table: %w", err)
	}
	all := make(map[int]Row, len(names))
	for _, name := range names {
		pid, err := strconv.Atoi(name)
		if err != nil {
			continue
		}
		row, err := Of(pid)
		if errors.Is(err, ErrNoProcess) {
			continue
		}
		if err != nil {
			return nil, err
		}
		all[pid] = row
	}
	return all, nil
}

// Of returns the row of one process. The error is [ErrNoProcess] if there is none.
func Of(pid int) (Row, error) {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if gone(err) {
		return Row{}, ErrNoProcess
	}
	if err != nil {
		return Row{}, fmt.Errorf("read process %d: %w", pid, err)
	}
	row, err := parse(text)
	if err != nil {
		return Row{}, fmt.Errorf("read process %d: %w", pid, err)
	}
	return row, nil
}

// gone reports an error that means that the process has ended.
func gone(err error) bool { return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ESRCH) }

// parse reads proc_pid_stat(5). The name is in parentheses and may contain some itself.
func parse(text []byte) (r Row, err error) {
	open, end := bytes.IndexByte(text, '('), bytes.LastIndexByte(text, ')')
	if open < 0 || end < open {
		return r, fmt.Errorf("unexpected text %q", text)
	}
	fields := bytes.Fields(text[end+1:])
	if len(fields) < 20 {
		return r, fmt.Errorf("unexpected text %q", text)
	}
	r.Name, r.State = string(text[open+1:end]), fields[0][0]
	numbers := []struct {
		to   *int
		text []byte
	}{{&r.PID, text[:open]}, {&r.Parent, fields[1]}, {&r.Group, fields[2]}, {&r.Session, fields[3]}}
	for _, n := range numbers {
		if *n.to, err = strconv.Atoi(string(bytes.TrimSpace(n.text))); err != nil {
			return r, err
		}
	}
	// The first thread of a process may end before the others: it shows as Z then.
	r.Ended = r.State == 'X' || r.State == 'Z' && string(fields[17]) == "1"
	r.Start, err = strconv.ParseInt(string(fields[19]), 10, 64)
	return r, err
}

// Words returns the arguments of a process and, of a process of the same user, its
// environment. It returns nothing for a process that has ended or is a zombie.
func Words(pid int) (arguments, environment []string) {
	base := "/proc/" + strconv.Itoa(pid)
	return words(base + "/cmdline"), words(base + "/environ")
}

func words(path string) []string {
	text, err := os.ReadFile(path)
	if err != nil || len(text) == 0 {
		return nil
	}
	return strings.Split(strings.TrimSuffix(string(text), "\x00"), "\x00")
}

// User returns the effective user of a process, -1 if it has ended.
func User(pid int) int {
	var info syscall.Stat_t
	if err := syscall.Stat("/proc/"+strconv.Itoa(pid), &info); err != nil {
		return -1
	}
	return int(info.Uid)
}

// Session returns the session of a process.
func Session(r Row) int { return r.Session }
