// Bench measures the monitor beside other ways to learn that a process ended,
// all in one run on one machine, so that the ratios hold where the times do not.
//
//	go run ./cmd/bench -monitor bin/monitor          under two minutes
//	go run ./cmd/bench -monitor bin/monitor -long    ten times the samples
package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// A bench is one run: the program under test, a store of its own, and how much to do.
type bench struct {
	monitor string // path of the command under test
	store   string
	fast    int           // samples of whatever answers within milliseconds
	slow    int           // samples of whatever polls
	idle    time.Duration // how long the idle monitor is observed
}

func main() {
	monitor := flag.String("monitor", "bin/monitor", "the command under test")
	long := flag.Bool("long", false, "ten times the samples, a longer look at idleness")
	flag.Parse()
	if err := run(*monitor, *long); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(monitor string, long bool) error {
	path, err := filepath.Abs(monitor)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	b := bench{monitor: path, store: filepath.Join(dir, "store"), fast: 200, slow: 10, idle: 20 * time.Second}
	if long {
		b.fast, b.slow, b.idle = 2000, 100, 2*time.Minute
	}
	os.Setenv("MONITOR_STORE", b.store)
	os.Unsetenv("MONITOR_RUNTIME") // the bench may itself run in a runtime
	fmt.Println(fingerprint())
	for _, part := range []func() error{b.ends, b.starts, b.idles} {
		fmt.Println()
		if err := part(); err != nil {
			return err
		}
	}
	return nil
}

// fingerprint says on what machine, and how busy, the figures were taken.
func fingerprint() string {
	kernel, err := exec.Command("uname", "-srm").Output()
	if err != nil {
		kernel = []byte(runtime.GOOS + "/" + runtime.GOARCH)
	}
	return fmt.Sprintf("%s, %d x %s, %s, load %s", strings.TrimSpace(string(kernel)), runtime.NumCPU(), processor(),
		runtime.Version(), load())
}
