package latelog_test

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/internal/latelog"
)

func TestLateLog(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "Late lines of a log")
}

// A disk is a writer that may be full, for some writes.
type disk struct {
	strings.Builder
	full int // how many writes fail from now on
}

func (d *disk) Write(p []byte) (int, error) {
	if d.full > 0 {
		d.full--
		return 0, errors.New("no space")
	}
	return d.Builder.Write(p)
}

var _ = Describe("A log", func() {
	var out *disk
	var log *slog.Logger

	// The time of a line is left out.
	options := &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}}

	BeforeEach(func() {
		out = &disk{}
		log = slog.New(latelog.Keep(slog.NewTextHandler(out, options)))
	})

	It("has lines in order, and no mark, while it can be written", func() {
		log.Info("one", "n", 1)
		log.Warn("two")
		Expect(out.String()).To(Equal("level=INFO msg=one n=1\nlevel=WARN msg=two\n"))
	})

	It("gets a line that could not be written before the next one, marked", func() {
		log.Info("one")
		out.full = 1
		log.With("runtime", "build").Warn("two", "n", 2)
		Expect(out.String()).To(Equal("level=INFO msg=one\n"))
		log.Info("three")
		Expect(out.String()).To(Equal("level=INFO msg=one\nlevel=WARN msg=two runtime=build n=2 late=true\nlevel=INFO msg=three\n"))
		log.Info("four")
		Expect(out.String()).To(HaveSuffix("msg=three\nlevel=INFO msg=four\n"), "nothing is written twice")
	})

	It("keeps what is late in its group", func() {
		out.full = 1
		log.WithGroup("g").Info("one", "n", 1)
		log.Info("two")
		Expect(out.String()).To(Equal("level=INFO msg=one g.n=1 g.late=true\nlevel=INFO msg=two\n"))
	})

	It("goes on where it was interrupted", func() {
		out.full = 3 // one; one again; one again
		log.Info("one")
		log.Info("two")
		log.Info("three")
		Expect(out.String()).To(BeEmpty())
		log.Info("four")
		Expect(out.String()).To(Equal("level=INFO msg=one late=true\nlevel=INFO msg=two late=true\nlevel=INFO msg=three late=true\nlevel=INFO msg=four\n"))
	})

	It("keeps a few lines, the last ones, and says how many are lost", func() {
		out.full = 1 << 20
		for n := range latelog.Most + 5 {
			log.Info("line", "n", n)
		}
		out.full = 0
		log.Info("end")
		lines := strings.Split(strings.TrimSpace(out.String()), "\n")
		Expect(lines).To(HaveLen(1 + latelog.Most + 1))
		Expect(lines[0]).To(And(HavePrefix("level=WARN"), ContainSubstring("lost"), HaveSuffix("lines=5")))
		for n, line := range lines[1 : 1+latelog.Most] {
			Expect(line).To(Equal(fmt.Sprintf("level=INFO msg=line n=%d late=true", n+5)))
		}
		Expect(lines[1+latelog.Most]).To(Equal("level=INFO msg=end"))
	})

	It("does not keep what its level leaves out", func() {
		out.full = 1
		log.Debug("no")
		log.Info("one")
		log.Info("two")
		Expect(out.String()).To(Equal("level=INFO msg=one late=true\nlevel=INFO msg=two\n"))
	})
})
