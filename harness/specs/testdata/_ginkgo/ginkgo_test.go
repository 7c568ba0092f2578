// Package ginkgo has the specs of another module. The specs of run_test.go compile it and
// run it as a process.
package ginkgo

import (
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/harness"
)

func TestMain(m *testing.M) { harness.Main(m) }

func TestSpecs(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "Ginkgo")
}

var _ = Describe("A spec", func() {
	var stage *harness.Stage

	BeforeEach(func() {
		stage = harness.New(GinkgoT(), harness.Grace(200*time.Millisecond)) // the line of New
	})

	It("leaves", func() {
		stage.Start("true").ExpectExit(0)
		stage.Start("sh", "-c", "env -i sleep 88 >/dev/null 2>&1 3>&- &").ExpectExit(0) // the line of Start
	})

	It("fails and leaves", func() {
		stage.Start("sh", "-c", "env -i sleep 88 >/dev/null 2>&1 3>&- &").ExpectExit(0)
		Fail("failed before")
	})
})
