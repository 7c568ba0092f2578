//go:build darwin || linux

package harness

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// fingerprint describes the machine, its load, the limits and the shells, a line each.
// What cannot be learnt is left out.
func fingerprint() string {
	var page strings.Builder
	fmt.Fprintf(&page, "machine  %s, %d cores, %s, user %d\n", kernel(), runtime.NumCPU(), runtime.Version(), os.Getuid())
	if averages, err := loadAverages(); err == nil {
		fmt.Fprintf(&page, "load     %.2f %.2f %.2f\n", averages[0], averages[1], averages[2])
	}
	fmt.Fprintf(&page, "limits   %s\n", limits())
	if versions := shellVersions("bash", "zsh"); len(versions) > 0 {
		fmt.Fprintf(&page, "shells   %s\n", strings.Join(versions, "; "))
	}
	return page.String()
}

// kernel returns name, release and architecture of the kernel.
func kernel() string {
	var name unix.Utsname
	if err := unix.Uname(&name); err != nil {
		return runtime.GOOS
	}
	return fmt.Sprintf("%s %s %s", unix.ByteSliceToString(name.Sysname[:]), unix.ByteSliceToString(name.Release[:]), unix.ByteSliceToString(name.Machine[:]))
}

// limits returns the limits of this user and process, the present of the highest.
func limits() string {
	var all []string
	for _, l := range []struct {
		name     string
		resource int
	}{{"processes", unix.RLIMIT_NPROC}, {"files", unix.RLIMIT_NOFILE}} {
		var limit unix.Rlimit
		if unix.Getrlimit(l.resource, &limit) == nil {
			all = append(all, fmt.Sprintf("%s %d of %d", l.name, int64(limit.Cur), int64(limit.Max)))
		}
	}
	return strings.Join(all, ", ")
}

var version = regexp.MustCompile(`^.*?\d[\w.()-]*`)

// shellVersions returns the versions of the shells that are installed and answer within
// two seconds in all.
func shellVersions(shells ...string) (versions []string) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	for _, shell := range shells {
		if v := version.FindString(first(ctx, shell, "--version")); v != "" {
			versions = append(versions, v)
		}
	}
	return versions
}

// first returns the first line that a command prints until it ends, empty if it does not
// exist or not end. With ctx its whole process group ends.
func first(ctx context.Context, argv ...string) string {
	var out bytes.Buffer
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Stdout = &out
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 100 * time.Millisecond // for what has left the group with the output
	if cmd.Run() != nil {
		return ""
	}
	line, _, _ := strings.Cut(out.String(), "\n")
	return line
}
