package checkup

import (
	"bytes"
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

func release() string {
	var name unix.Utsname
	if unix.Uname(&name) != nil {
		return ""
	}
	return unix.ByteSliceToString(name.Release[:])
}

// initial are the links of the initial namespaces that matter (docs/linux.md L25).
var initial = map[string]string{"pid": "pid:[4026531836]", "user": "user:[4026531837]", "time": "time:[4026531834]"}

// namespaces returns the links of the namespaces of this process that are not the initial
// ones. A kernel without a kind has no link of it.
func namespaces() (other []string) {
	for _, kind := range []string{"pid", "user", "time"} {
		if link, err := os.Readlink("/proc/self/ns/" + kind); err == nil && link != initial[kind] {
			other = append(other, link)
		}
	}
	return other
}

// processes returns the limit of processes and threads of this user, nil for root
// (docs/linux.md L75).
func processes() *Quota {
	if os.Getuid() == 0 {
		return nil
	}
	return &Quota{Limit: limitOf(unix.RLIMIT_NPROC).soft}
}

// threads returns how many threads a process has: the 20th field of its row
// (docs/linux.md L13). The limit is about threads (L75).
func threads(pid int) uint64 {
	row, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	const firstAfterName, number = 3, 20
	fields := bytes.Fields(row[bytes.LastIndexByte(row, ')')+1:])
	if len(fields) <= number-firstAfterName {
		return 0
	}
	n, _ := strconv.ParseUint(string(fields[number-firstAfterName]), 10, 64)
	return max(n, 1)
}

func fileLimit(hard uint64) uint64 { return hard }

// filesOf returns the descriptors of a process of this user, nil where they cannot be
// counted.
func filesOf(pid int) *Quota {
	var found unix.Rlimit
	open, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	if err != nil || unix.Prlimit(pid, unix.RLIMIT_NOFILE, nil, &found) != nil {
		return nil
	}
	return &Quota{Limit: amount(found.Cur), Used: uint64(len(open)), Counted: true}
}
