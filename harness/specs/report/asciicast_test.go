//go:build darwin || linux

package report_test

import (
	"bytes"
	"encoding/json"
	"os/exec"
	"unicode/utf8"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/harness"
)

// A cast is an asciicast, version 2, as asciinema's documentation has it
// (docs.asciinema.org/manual/asciicast/v2): a header in the first line, an event in each
// other line.
type cast struct {
	Version, Width, Height int
	Timestamp              int64
	Title                  string
	Env                    map[string]string

	shown, typed string
	sizes        []string
}

// parseCast checks that text is an asciicast.
func parseCast(text []byte) *cast {
	GinkgoHelper()
	Expect(utf8.Valid(text)).To(BeTrue())
	lines := bytes.Split(bytes.TrimSuffix(text, []byte("\n")), []byte("\n"))
	var c cast
	header := json.NewDecoder(bytes.NewReader(lines[0]))
	header.DisallowUnknownFields()
	Expect(header.Decode(&c)).To(Succeed())
	Expect(c.Version).To(Equal(2))
	Expect(c.Width).To(BeNumerically(">", 0))
	Expect(c.Height).To(BeNumerically(">", 0))
	last := 0.0
	for _, line := range lines[1:] {
		var event []any
		Expect(json.Unmarshal(line, &event)).To(Succeed(), "%s", line)
		Expect(event).To(HaveExactElements(BeNumerically(">=", last), BeElementOf("o", "i", "r"), Not(BeEmpty())), "%s", line)
		last = event[0].(float64)
		switch content := event[2].(string); event[1] {
		case "o":
			c.shown += content
		case "i":
			c.typed += content
		case "r":
			Expect(content).To(MatchRegexp(`^[1-9]\d*x[1-9]\d*$`))
			c.sizes = append(c.sizes, content)
		}
	}
	return &c
}

var _ = Describe("The asciicast of a terminal", func() {
	// Characters arrive in pieces: each event has whole ones.
	const speech = `for byte in 342 202 254; do printf "\\$byte"; sleep 0.01; done; echo`

	It("has header and events as documented", func(ctx SpecContext) {
		_, dir := fail(func(s *harness.Stage) {
			sh := s.Shell(harness.Sh)
			sh.Run(speech)
			sh.Resize(30, 100)
			sh.Run("echo done")
		})
		c := parseCast(read(dir, "sh-0.cast"))
		Expect(c.Title).To(Equal("sh-0"))
		Expect([]int{c.Width, c.Height}).To(Equal([]int{80, 24}))
		Expect(c.sizes).To(Equal([]string{"100x30"}))
		Expect(c.typed).To(ContainSubstring("echo done"))
		Expect(c.shown).To(And(ContainSubstring("€\r\n"), ContainSubstring("done\r\n")))
	}, soon)

	It("is played by asciinema", Label("asciinema"), func(ctx SpecContext) {
		player, err := exec.LookPath("asciinema")
		if err != nil {
			Skip("asciinema is not installed")
		}
		_, dir := fail(func(s *harness.Stage) { s.Shell(harness.Sh).Run("echo one; echo two") })
		stage := harness.New(GinkgoT())
		stage.Setenv("LC_ALL", "C.UTF-8")
		output, status := stage.Shell(harness.Sh).Run(player + " cat " + dir + "/sh-0.cast")
		Expect(status).To(Equal(0), output)
		Expect(output).To(ContainSubstring("one\ntwo\n"))
	}, soon)
})
