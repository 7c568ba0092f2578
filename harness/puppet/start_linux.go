package main

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
)

// startTime is field 22 of stat(5), clock ticks since boot. It is counted from
// the last parenthesis, since the second field is a name that may hold any.
func startTime() (int64, error) {
	text, err := os.ReadFile("/proc/self/stat")
	if err != nil {
		return 0, err
	}
	fields := bytes.Fields(text[bytes.LastIndexByte(text, ')')+1:])
	if len(fields) < 20 {
		return 0, fmt.Errorf("stat with %d fields", len(fields)+2)
	}
	return strconv.ParseInt(string(fields[19]), 10, 64)
}
