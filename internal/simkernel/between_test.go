package simkernel

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/tracker/process"
)

var _ = Describe("A process of the simulated kernel that execs", func() {
	for _, flavour := range Flavours {
		It("shows no environment between the two programs, where forks are "+flavour.String(), func() {
			w := NewWorld(flavour)
			p := w.process(w.Spawn(0))
			p.program = append(p.program[:p.at:p.at], Do(OpReplace), Stay)
			marks := func() ([]string, error) {
				marks, _, err := w.kernel.Marks(p.row())
				return marks, err
			}
			Expect(marks()).To(Equal([]string{simMark}))
			p.Step()
			Expect(w.kernel.Between()).To(BeTrue())
			_, err := marks()
			Expect(err).To(MatchError(process.ErrBetween))
			p.Step()
			Expect(w.kernel.Between()).To(BeFalse())
			Expect(marks()).To(Equal([]string{simMark}))
		})
	}

	It("shows the mark that it has forged, which is that of no tree", func() {
		w := NewWorld(Flavours[0])
		pid := w.Spawn(0)
		w.do(w.process(pid), Do(OpForge))
		marks, _, err := w.kernel.Marks(w.process(pid).row())
		Expect(marks, err).To(Equal([]string{forgedMark}))
		Expect(w.process(pid).markShown).To(BeFalse())
	})
})
