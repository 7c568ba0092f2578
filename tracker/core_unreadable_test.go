package tracker

import (
	"errors"
	"syscall"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/tracker/process"
	"github.com/gemini-monitor/gemini/tracker/trees"
)

var _ = Describe("A row that is missing though no exit was announced", func() {
	It("is no death while the process can be looked up", func() {
		r := rehearse(process.ForksAnnounced)
		tree := r.track(10)
		hidden := r.rows[11]
		r.beforeRead = func() { delete(r.rows, 11) }
		r.follower.kernel = &hiding{r.script, hidden}
		r.appears(row(20, 10, 10, 5))
		Expect(links(tree)).To(HaveKey(11))
		r.follower.kernel = r.script
		r.happensLater(time.Second) // it is looked at on the beat
		Expect(links(tree)).NotTo(HaveKey(11))
	})

	It("is a death when there is no such process", func() {
		r := rehearse(process.ForksAnnounced)
		tree := r.track(10)
		delete(r.rows, 11)
		r.appears(row(20, 10, 10, 5))
		Expect(links(tree)).NotTo(HaveKey(11))
	})

	It("is no death while look-ups fail", func() {
		r := rehearse(process.ForksAnnounced)
		tree := r.track(10)
		r.follower.kernel = &blind{r.script}
		delete(r.rows, 11)
		r.appears(row(20, 10, 10, 5))
		Expect(links(tree)).To(HaveKey(11))
	})
})

// A hiding kernel has a process that its table does not show.
type hiding struct {
	*script
	hidden process.Row
}

func (h *hiding) lookup(pid int) (process.Row, error) {
	if pid == h.hidden.PID {
		return h.hidden, nil
	}
	return h.script.lookup(pid)
}

// A blind kernel does not let us look at single processes.
type blind struct{ *script }

func (*blind) lookup(int) (process.Row, error) { return process.Row{}, syscall.EPERM }

var _ = Describe("A table that cannot be read", func() {
	DescribeTable("leaves everything unknown, and nothing empty", func(flavour process.Forks) {
		r := rehearse(flavour)
		tree := r.track(10)
		changes(tree)
		r.unreadable = syscall.EPERM
		r.posted = append(r.posted, seamNotice{Lost: true}, seamNotice{PID: 10, Events: process.Forked})
		if flavour == process.ForksNamed {
			r.posted = r.posted[:1]
		}
		r.dies(10, 11, 12)
		v, err := tree.Verdict()
		Expect(v).To(Equal(trees.Unknown))
		Expect(err).To(MatchError(syscall.EPERM))
		Expect(changes(tree)).To(And(ContainElement("unreadable"), Not(ContainElement("emptied"))))

		r.unreadable = nil
		r.happensLater(time.Second)
		Expect(verdict(tree)).To(Equal(trees.Empty))
		Expect(changes(tree)).To(ContainElements("readable", "emptied"))
	}, everyFlavour)

	It("is read again ever more slowly", func() {
		r := rehearse(process.ForksAnnounced)
		r.track(10)
		r.unreadable = errors.New("not now")
		before := r.reads
		r.appears(row(20, 10, 10, 5))
		Expect(r.reads-before).To(BeNumerically("<", 25), "in ten seconds")
		Expect(r.reads-before).To(BeNumerically(">", 9), "in ten seconds")
	})

	It("says so once", func() {
		r := rehearse(process.ForksAnnounced)
		tree := r.track(10)
		changes(tree)
		r.unreadable = errors.New("not now")
		r.appears(row(20, 10, 10, 5))
		Expect(changes(tree)).To(Equal([]string{"unreadable"}))
	})
})
