package main

import (
	"os"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// The test binary is also the command: run as "TEST as-monitor ARG...", and as
// the monitor that such a run, or one within the specs, starts from itself.
const asMonitor = "as-monitor"

// asHeir has the test binary print what an exec left it that /proc does not show.
const asHeir = "as-heir"

func TestMain(m *testing.M) {
	// By default the race detector waits a second at exit, in each process.
	os.Setenv("GORACE", "atexit_sleep_ms=0")
	if len(os.Args) > 1 && os.Args[1] == asMonitor {
		os.Args = append(os.Args[:1], os.Args[2:]...)
		main()
		os.Exit(0)
	}
	if len(os.Args) > 1 && os.Args[1] == asHeir {
		tellInheritance()
		os.Exit(0)
	}
	if len(os.Args) > 1 && os.Args[1] == "--store" {
		main()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func TestCommand(t *testing.T) {
	EnforceDefaultTimeoutsWhenUsingContexts()
	SetDefaultEventuallyTimeout(time.Minute) // where the table is polled, a read of 0.6 s buys 20 s of quiet
	os.Setenv(envResident, "no")             // specs about a resident monitor set it anew
	RegisterFailHandler(Fail)
	RunSpecs(t, "Command")
}
