//go:build darwin || linux

package monitor_test

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"golang.org/x/sys/unix"

	"github.com/gemini-monitor/gemini/monitor"
	"github.com/gemini-monitor/gemini/tracker/process"
)

var _ = Describe("A start that has too few descriptors", func() {
	DescribeTable("leaves nothing, since it deletes with those that its caller has held,", func(durable bool) {
		said, err := play("spender", GinkgoT().TempDir(), fmt.Sprint(durable))
		Expect(err).NotTo(HaveOccurred())
		Expect(said).To(MatchRegexp(`^(\d free, too few: \[\]\n)+(\d free, no monitor: \[\]\n)+$`))
	},
		Entry("of a runtime", false),
		Entry("of a durable one", true),
	)
})

// playSpender starts runtimes that no monitor watches, each in a store of its own with one
// descriptor more than the last, and tells what is left: DIR DURABLE.
func playSpender(args []string) error {
	if _, err := process.Self(); err != nil { // which is remembered, also where it fails
		return err
	}
	signal.Notify(make(chan os.Signal, 1), syscall.SIGUSR1) // Go needs descriptors for the first one
	for free := 1; free <= 6; free++ {
		store, err := monitor.Open(filepath.Join(args[0], fmt.Sprint(free)))
		if err != nil {
			return err
		}
		refused, err := spend(store, free, args[1] == "true")
		if err != nil {
			return err
		}
		why := "no monitor"
		if errors.Is(refused, syscall.EMFILE) {
			why = "too few"
		} else if !errors.Is(refused, monitor.ErrNoMonitor) {
			why = fmt.Sprint(refused)
		}
		left, err := filepath.Glob(filepath.Join(store.Dir(), "*", "*"))
		if err != nil {
			return err
		}
		fmt.Printf("%d free, %s: %q\n", free, why, left)
	}
	return nil
}

// spend starts a runtime while no more than some descriptors are free. Its caller holds some
// others.
func spend(store *monitor.Store, free int, durable bool) (refused, err error) {
	const held = 6
	var files []*os.File
	for range held {
		file, err := os.Open(os.DevNull)
		if err != nil {
			return nil, err
		}
		files = append(files, file)
	}
	release, err := lower(unix.RLIMIT_NOFILE, withFree(free))
	if err != nil {
		return nil, err
	}
	refused = store.Run(monitor.Creation{Name: "build", Durable: durable}, monitor.Program{
		Path: noCommand, Args: []string{noCommand}, Patience: generous, Keeper: refuser{},
		Spare: func() {
			for _, file := range files {
				file.Close()
			}
		},
	})
	return refused, release()
}
