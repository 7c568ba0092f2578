package kernel

import (
	"os"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/internal/testproc"
	"github.com/gemini-monitor/gemini/tracker/process"
)

var _ = Describe("The id of a thread", Label("linux"), func() {
	for _, m := range Ways() {
		It("cannot be watched on "+m.Name, Label(m.Needs...), func() {
			k := testproc.Opened(m.Open())
			defer k.Close()
			threads, err := os.ReadDir("/proc/self/task")
			Expect(err).NotTo(HaveOccurred())
			Expect(len(threads)).To(BeNumerically(">", 1), "threads of a Go program")
			for _, thread := range threads {
				if id := testproc.Atoi(thread.Name()); id != os.Getpid() {
					Expect(k.Add(id)).To(MatchError(process.ErrGone), "thread %d", id)
				}
			}
		})
	}
})
