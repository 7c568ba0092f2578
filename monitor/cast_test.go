package monitor_test

import (
	"io/fs"
	"os"
	"path/filepath"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/monitor"
	"github.com/gemini-monitor/gemini/tracker/process"
	"github.com/gemini-monitor/gemini/tracker/trees"
)

var _ = Describe("A member that was recorded without its start time", func() {
	DescribeTable("may be alive", func(boot string, found error, matches OmegaMatcher, left ...trees.ChangeKind) {
		path := filepath.Join(GinkgoT().TempDir(), monitor.JournalFile)
		Expect(os.WriteFile(path, nil, 0o600)).To(Succeed())
		journal, err := monitor.OpenJournal(path)
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(journal.Close)
		hidden := trees.Member{Process: process.Process{Identity: process.Identity{PID: 20, Boot: "now"}}}
		for _, kind := range append([]trees.ChangeKind{trees.Joined}, left...) {
			Expect(journal.Append(trees.Change{Kind: kind, Member: hidden})).To(Succeed())
		}
		Expect(journal.Named(boot, func(int) (process.Process, error) { return process.Process{}, found })).To(matches)
	},
		Entry("where its PID is hidden", "now", fs.ErrPermission, MatchError(ContainSubstring("process 20"))),
		Entry("where its PID is in use", "now", nil, MatchError(ContainSubstring("process 20"))),
		Entry("not where there is no such process", "now", process.ErrGone, Succeed()),
		Entry("not in a later boot", "later", nil, Succeed()),
		Entry("not if it left", "now", nil, Succeed(), trees.Left),
	)
})
