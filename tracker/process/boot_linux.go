package process

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
)

// The link texts of the namespaces that all others descend from
// (PROC_PID_INIT_INO and PROC_TIME_INIT_INO, include/uapi/linux/nsfs.h).
const (
	initialPIDNamespace  = "pid:[4026531836]"
	initialTimeNamespace = "time:[4026531834]"
)

// A bootName is what [Boot] returns, in its parts: the run of the kernel, and
// the namespaces that PIDs and start times count in, where those are not the
// initial ones.
type bootName struct {
	kernel, pids, clock string
}

func parseBoot(text string) (b bootName) {
	for i, part := range strings.Split(text, "/") {
		switch {
		case i == 0:
			b.kernel = part
		case strings.HasPrefix(part, "pid:"):
			b.pids = part
		case strings.HasPrefix(part, "time:"):
			b.clock = part
		}
	}
	return b
}

func (b bootName) String() string {
	text := b.kernel
	for _, namespace := range []string{b.pids, b.clock} {
		if namespace != "" {
			text += "/" + namespace
		}
	}
	return text
}

func readBoot() (string, error) {
	text, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("read boot identity: /proc shows processes only, as with the mount option subset=pid: %w", err)
	}
	if err != nil {
		return "", fmt.Errorf("read boot identity: %w", err)
	}
	return bootName{
		kernel: strings.TrimSpace(string(text)),
		pids:   namespaceBut(initialPIDNamespace, "self", "pid"),
		// A start time is since boot by the clock of the reader's time namespace
		// (do_task_stat, fs/proc/array.c).
		clock: namespaceBut(initialTimeNamespace, "self", "time"),
	}.String(), nil
}

// namespaceBut returns a process's namespace of one kind, or nothing where that
// is the initial one or the kernel has no such kind.
func namespaceBut(initial, process, kind string) string {
	link, err := os.Readlink("/proc/" + process + "/ns/" + kind)
	if err != nil || link == initial {
		return ""
	}
	return link
}

func sameKernel(a, b string) bool { return parseBoot(a).kernel == parseBoot(b).kernel }

// visibleFrom returns nil if a process with the boot name ours can find out whether one
// with the boot name theirs is alive, else an [ErrElsewhere].
func visibleFrom(ours, theirs string) error {
	return visible(parseBoot(ours), parseBoot(theirs), inhabited)
}

func visible(ours, theirs bootName, inhabited func(pids string) (bool, error)) error {
	switch {
	case theirs == ours, theirs.kernel != ours.kernel:
		return nil // no process outlives the kernel
	case theirs.pids == ours.pids:
		return fmt.Errorf("%w, %s", ErrElsewhere, orInitial(theirs.clock, initialTimeNamespace))
	case ours.pids != "": // a nested namespace does not show all others
		return fmt.Errorf("%w, %s", ErrElsewhere, orInitial(theirs.pids, initialPIDNamespace))
	}
	lives, err := inhabited(theirs.pids)
	switch {
	case err != nil:
		return fmt.Errorf("%w, %s: %w", ErrElsewhere, theirs.pids, err)
	case lives:
		return fmt.Errorf("%w, %s", ErrElsewhere, theirs.pids)
	}
	return nil // no process outlives its PID namespace
}

func orInitial(namespace, initial string) string {
	if namespace == "" {
		return initial
	}
	return namespace
}
