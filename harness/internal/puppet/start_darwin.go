package puppet

import (
	"os"

	"golang.org/x/sys/unix"
)

// startTime returns p_starttime in microseconds since 1970.
func startTime() (int64, error) {
	row, err := unix.SysctlKinfoProc("kern.proc.pid", os.Getpid())
	if err != nil {
		return 0, err
	}
	start := row.Proc.P_starttime
	return start.Sec*1_000_000 + int64(start.Usec), nil
}
