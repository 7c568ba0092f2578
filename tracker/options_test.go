//go:build darwin || linux

package tracker

import (
	"bytes"
	"errors"
	"log/slog"
	"os"
	"syscall"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/internal/kernel"
	"github.com/gemini-monitor/gemini/internal/rehearsal"
	"github.com/gemini-monitor/gemini/internal/testproc"
	"github.com/gemini-monitor/gemini/tracker/process"
)

var _ = Describe("The options of a tracker", func() {
	for _, name := range kernel.Mechanisms() {
		It("choose the mechanism: "+name, func() {
			t := testproc.Opened(New(Options{Mechanism: Mechanism(name)}))
			defer t.Close()
			Expect(t.Capabilities().Mechanism).To(Equal(Mechanism(name)))
		})
	}

	It("choose the best mechanism that works when they name none", func() {
		t := testproc.Opened(New(Options{}))
		defer t.Close()
		var working []Mechanism
		for _, name := range kernel.Mechanisms() {
			chosen, err := New(Options{Mechanism: Mechanism(name)})
			if errors.Is(err, errors.ErrUnsupported) {
				continue
			}
			Expect(err).NotTo(HaveOccurred())
			Expect(chosen.Close()).To(Succeed())
			working = append(working, Mechanism(name))
		}
		Expect(working).NotTo(BeEmpty())
		Expect(t.Capabilities().Mechanism).To(Equal(working[0]))
	})

	It("cannot name a mechanism of no system", func() {
		_, err := New(Options{Mechanism: "telepathy"})
		Expect(err).To(MatchError(errors.ErrUnsupported))
		Expect(err).To(MatchError(ContainSubstring(`"telepathy"`)))
	})

	It("have a log that shows when the table cannot be read, and when it can again", func(ctx SpecContext) {
		r := rehearsal.New(process.ForksAnnounced)
		var text bytes.Buffer
		t := trackerOf(r.Follower, slog.New(slog.NewTextHandler(&text, nil)))
		r.Track(10)
		t.logReads()
		Expect(text.String()).To(BeEmpty())
		r.Unreadable = syscall.ENOMEM
		r.Appears(rehearsal.Row(20, 10, 10, 5))
		t.logReads()
		t.logReads()
		Expect(text.String()).To(MatchRegexp(`^[^\n]*level=WARN [^\n]*cannot be read[^\n]*` + syscall.ENOMEM.Error() + `[^\n]*\n$`))
		text.Reset()
		r.Unreadable = nil
		r.HappensLater(0)
		t.logReads()
		Expect(text.String()).To(MatchRegexp(`^[^\n]*level=INFO [^\n]*can be read again[^\n]*\n$`))
	}, testproc.Patience)
})

var _ = withTracker("The handle of a tree", func(open func() *Tracker) {
	It("is the same for all callers, and another one after the tree has ended", func(ctx SpecContext) {
		t := open()
		tree := follow(ctx, t, os.Getppid())
		found, ok := t.TreeOf(os.Getppid())
		Expect(ok).To(BeTrue())
		Expect(found).To(BeIdenticalTo(tree))
		Expect(tree.Close()).To(Succeed())
		Expect(t.TreeOf(os.Getppid())).To(BeNil())
		Expect(follow(ctx, t, os.Getppid())).NotTo(BeIdenticalTo(tree))
		Expect(t.handles).To(HaveLen(1))
	}, testproc.Patience)
})
