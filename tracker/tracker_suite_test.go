package tracker

import (
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/internal/testproc"
)

func TestTracker(t *testing.T) {
	EnforceDefaultTimeoutsWhenUsingContexts()
	SetDefaultEventuallyTimeout(time.Minute) // where the table is polled, a read of 0.6 s buys 20 s of quiet
	RegisterFailHandler(Fail)
	RunSpecs(t, "Tracker")
}

var _ = testproc.CheckLeaks()
