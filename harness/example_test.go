//go:build darwin || linux

package harness_test

import (
	_ "embed"
	"strings"
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/harness"
)

// The example of the package comment. It needs no Ginkgo.
func TestDaemonOutlivesItsCommand(t *testing.T) {
	tools, err := harness.Build(t.Context(), "puppet")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tools.Remove() })
	stage := harness.NewStage(t, tools)

	job := stage.Start("puppet", "owner") // a monitor's command line goes in front
	owner := stage.Puppet(t.Context(), "owner")
	daemon := owner.DoubleFork(t.Context(), "daemon", harness.Start{OwnSession: true})
	owner.Exit(t.Context(), 0)
	job.Wait(t.Context())

	if !job.Oracle().Held() { // here a monitor must not report the end
		t.Fatal("the oracle lost the daemon")
	}
	daemon.Exit(t.Context(), 0)
	<-job.Oracle().Gone() // and here it must
}

//go:embed harness.go
var comment string

//go:embed example_test.go
var source string

var _ = Describe("The example of the package comment", func() {
	It("is the test that runs", func() {
		var example strings.Builder
		for line := range strings.Lines(comment) {
			if code, ok := strings.CutPrefix(line, "//\t"); ok {
				example.WriteString(code)
			} else if line == "//\n" && example.Len() > 0 {
				example.WriteString("\n")
			}
			if line == "//\t}\n" {
				break
			}
		}
		Expect(example.String()).To(HavePrefix("func Test"))
		Expect(source).To(ContainSubstring(example.String()))
	})
})
