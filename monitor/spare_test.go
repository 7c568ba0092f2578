//go:build darwin || linux

package monitor_test

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"syscall"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"golang.org/x/sys/unix"

	"github.com/gemini-monitor/gemini/monitor"
	"github.com/gemini-monitor/gemini/tracker/process"
)

var _ = Describe("A start that has too few descriptors", func() {
	DescribeTable("leaves what was there, since it deletes with those that its caller has held,", func(kind, left string) {
		said, err := play("spender", GinkgoT().TempDir(), kind)
		Expect(err).NotTo(HaveOccurred())
		Expect(said).To(MatchRegexp(`^(\d free, too few: %[1]s\n)+(\d free, no monitor: %[1]s\n)+$`, regexp.QuoteMeta(left)))
	},
		Entry("of a runtime", ofNone, "[]"),
		Entry("of a durable one", ofDurable, "[]"),
		Entry("of an idle one, which is idle again", ofIdle, "[build idle]"),
	)
})

// The runtimes that a spender starts.
const (
	ofNone    = "new"
	ofDurable = "new and durable"
	ofIdle    = "idle"
)

// playSpender starts runtimes that no monitor watches, each in a store of its own with one
// descriptor more than the last, and tells what is left: DIR KIND.
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
		if args[1] == ofIdle {
			if err := makeIdle(store); err != nil {
				return err
			}
		}
		refused, err := spend(store, free, args[1] != ofNone)
		if err != nil {
			return err
		}
		why := "no monitor"
		if errors.Is(refused, syscall.EMFILE) {
			why = "too few"
		} else if !errors.Is(refused, monitor.ErrNoMonitor) {
			why = fmt.Sprint(refused)
		}
		left, err := remaining(store)
		if err != nil {
			return err
		}
		fmt.Printf("%d free, %s: %v\n", free, why, left)
	}
	return nil
}

// makeIdle makes the durable runtime that a spender runs again.
func makeIdle(store *monitor.Store) error {
	r, err := store.Create(monitor.Creation{Name: "build", Durable: true})
	if err != nil {
		return err
	}
	record, err := r.Record()
	if err != nil {
		return err
	}
	return record.Idle(time.Now()).Write(r.Dir())
}

// remaining returns the names of what is in a store, with the state where there is a record.
func remaining(store *monitor.Store) ([]string, error) {
	left, err := filepath.Glob(filepath.Join(store.Dir(), "*", "*"))
	for i, dir := range left {
		left[i] = filepath.Base(dir)
		if r, err := store.Runtime(left[i]); err == nil {
			record, err := r.Record()
			if err != nil {
				return nil, err
			}
			left[i] += " " + string(record.State)
		}
	}
	return left, err
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
