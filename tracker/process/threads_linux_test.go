package process_test

import (
	"os"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/internal/rehearsal"
	"github.com/gemini-monitor/gemini/internal/testproc"
	"github.com/gemini-monitor/gemini/tracker/process"
)

var _ = Describe("The id of a thread", Label("linux"), func() {
	It("is no PID", func(ctx SpecContext) {
		threads, err := os.ReadDir("/proc/self/task")
		Expect(err).NotTo(HaveOccurred())
		Expect(len(threads)).To(BeNumerically(">", 1), "threads of a Go program")
		for _, thread := range threads {
			id := testproc.Atoi(thread.Name())
			if id == os.Getpid() {
				continue
			}
			_, err := process.Lookup(id)
			Expect(err).To(MatchError(process.ErrGone), "thread %d", id)
		}
	}, testproc.Patience)
})

var _ = Describe("A program with a misleading name", Label("linux"), func() {
	It("is read as what it is", func(ctx SpecContext) {
		name := ") Z 1 2 (3\n"
		path := GinkgoT().TempDir() + "/" + name
		Expect(os.Symlink("/bin/sh", path)).To(Succeed())
		r := testproc.Lead(1, testproc.Cue{Argv: []string{path, "-c", "echo root $$; read line <&4"}})
		r.Persons(1)
		p := testproc.Look(ctx, r.Pid)
		Expect(p).To(And(HaveField("Command", rehearsal.Name(name)),
			HaveField("Parent", os.Getpid()), HaveField("State", process.Running)))
	}, testproc.Patience)
})
