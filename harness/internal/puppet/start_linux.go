package puppet

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
)

// startTime returns field 22 of proc_pid_stat(5), clock ticks since boot. It counts from
// the last parenthesis: the second field is a name, which may contain parentheses.
func startTime() (int64, error) {
	text, err := os.ReadFile("/proc/self/stat")
	if err != nil {
		return 0, err
	}
	fields := bytes.Fields(text[bytes.LastIndexByte(text, ')')+1:])
	if len(fields) < 20 {
		return 0, fmt.Errorf("/proc/self/stat has %d fields", len(fields)+2)
	}
	return strconv.ParseInt(string(fields[19]), 10, 64)
}
