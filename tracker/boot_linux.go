package tracker

import (
	"fmt"
	"os"
	"strings"
)

// initialPIDNamespace is the link text of the namespace that every other one
// descends from (PROC_PID_INIT_INO, include/uapi/linux/nsfs.h).
const initialPIDNamespace = "pid:[4026531836]"

func readBoot() (string, error) {
	text, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return "", fmt.Errorf("read boot identity: %w", err)
	}
	boot := strings.TrimSpace(string(text))
	namespace, err := os.Readlink("/proc/self/ns/pid")
	if err == nil && namespace != initialPIDNamespace {
		boot += "/" + namespace
	}
	return boot, nil
}
