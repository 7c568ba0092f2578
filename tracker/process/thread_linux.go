package process

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// OfThread returns the PID of the process that a thread belongs to. The id of the first
// thread of a process is the PID. The error is [ErrGone] where there is no such thread.
func OfThread(tid int) (pid int, err error) {
	if tid <= 0 {
		return 0, ErrGone
	}
	text, err := os.ReadFile("/proc/" + strconv.Itoa(tid) + "/status")
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ESRCH) {
		return 0, ErrGone
	}
	if err != nil {
		return 0, err
	}
	for line := range bytes.Lines(text) {
		if value, ok := bytes.CutPrefix(line, []byte("Tgid:")); ok {
			pid = int(number(bytes.TrimSpace(value)))
		}
	}
	if pid <= 0 {
		return 0, ErrGone
	}
	return pid, nil
}
