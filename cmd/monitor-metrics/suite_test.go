package main

import (
	"os"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// asProgram has the test binary be the program.
const asProgram = "as-program"

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == asProgram {
		os.Args = append(os.Args[:1], os.Args[2:]...)
		main()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func TestMetrics(t *testing.T) {
	SetDefaultEventuallyTimeout(time.Minute) // where the table is polled, a read of 0.6 s buys 20 s of quiet
	RegisterFailHandler(Fail)
	RunSpecs(t, "monitor-metrics")
}
