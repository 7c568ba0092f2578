package core_test

import (
	"errors"
	"syscall"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/internal/core"
	"github.com/gemini-monitor/gemini/internal/rehearsal"
	"github.com/gemini-monitor/gemini/tracker/process"
	"github.com/gemini-monitor/gemini/tracker/trees"
)

var _ = Describe("A row that is missing though no exit was announced", func() {
	It("is no death while the process can be looked up", func() {
		r := rehearsal.New(process.ForksAnnounced)
		tree := r.Track(10)
		hidden := r.Rows[11]
		r.BeforeRead = func() { delete(r.Rows, 11) }
		r.Follower.Kernel = &hiding{r.Script, hidden}
		r.Appears(rehearsal.Row(20, 10, 10, 5))
		Expect(rehearsal.Links(tree)).To(HaveKey(11))
		r.Follower.Kernel = r.Script
		r.HappensLater(time.Second) // it is looked at on the beat
		Expect(rehearsal.Links(tree)).NotTo(HaveKey(11))
	})

	It("is a death when there is no such process", func() {
		r := rehearsal.New(process.ForksAnnounced)
		tree := r.Track(10)
		delete(r.Rows, 11)
		r.Appears(rehearsal.Row(20, 10, 10, 5))
		Expect(rehearsal.Links(tree)).NotTo(HaveKey(11))
	})

	It("is no death while look-ups fail", func() {
		r := rehearsal.New(process.ForksAnnounced)
		tree := r.Track(10)
		r.Follower.Kernel = &blind{r.Script}
		delete(r.Rows, 11)
		r.Appears(rehearsal.Row(20, 10, 10, 5))
		Expect(rehearsal.Links(tree)).To(HaveKey(11))
	})
})

// A hiding kernel has a process that its table does not show.
type hiding struct {
	*rehearsal.Script
	hidden process.Row
}

func (h *hiding) Lookup(pid int) (process.Row, error) {
	if pid == h.hidden.PID {
		return h.hidden, nil
	}
	return h.Script.Lookup(pid)
}

// A blind kernel refuses look-ups of single processes.
type blind struct{ *rehearsal.Script }

func (*blind) Lookup(int) (process.Row, error) { return process.Row{}, syscall.EPERM }

var _ = Describe("A table that cannot be read", func() {
	DescribeTable("leaves everything unknown, and nothing empty", func(flavour process.Forks) {
		r := rehearsal.New(flavour)
		tree := r.Track(10)
		rehearsal.Changes(tree)
		r.Unreadable = syscall.EPERM
		r.Posted = append(r.Posted, core.Notice{Lost: true}, core.Notice{PID: 10, Events: process.Forked})
		if flavour == process.ForksNamed {
			r.Posted = r.Posted[:1]
		}
		r.Dies(10, 11, 12)
		v, err := tree.Verdict()
		Expect(v).To(Equal(trees.Unknown))
		Expect(err).To(MatchError(syscall.EPERM))
		Expect(rehearsal.Changes(tree)).To(And(ContainElement("unreadable"), Not(ContainElement("emptied"))))

		r.Unreadable = nil
		r.HappensLater(time.Second)
		Expect(rehearsal.Verdict(tree)).To(Equal(trees.Empty))
		Expect(rehearsal.Changes(tree)).To(ContainElements("readable", "emptied"))
	}, rehearsal.EveryFlavour)

	It("is read again ever more slowly", func() {
		r := rehearsal.New(process.ForksAnnounced)
		r.Track(10)
		r.Unreadable = errors.New("not now")
		before := r.Reads
		r.Appears(rehearsal.Row(20, 10, 10, 5))
		Expect(r.Reads-before).To(BeNumerically("<", 25), "in ten seconds")
		Expect(r.Reads-before).To(BeNumerically(">", 9), "in ten seconds")
	})

	It("is logged once", func() {
		r := rehearsal.New(process.ForksAnnounced)
		tree := r.Track(10)
		rehearsal.Changes(tree)
		r.Unreadable = errors.New("not now")
		r.Appears(rehearsal.Row(20, 10, 10, 5))
		Expect(rehearsal.Changes(tree)).To(Equal([]string{"unreadable"}))
	})
})
