package explore

import (
	"errors"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/internal/simkernel"
	"github.com/gemini-monitor/gemini/tracker/process"
)

// The wrong ways to ask for a mark, as what they make of an answer. The other ones, which
// processes are asked and what becomes of a member, are decisions of the core: its specs
// have them.

// takesMomentForAnswer is one that takes the moment between two programs for an environment
// without a mark.
func takesMomentForAnswer(marks []string, err error) ([]string, error) {
	if errors.Is(err, process.ErrBetween) {
		return nil, nil
	}
	return marks, err
}

// takesMomentForDeath is one that takes that moment for the end of the process.
func takesMomentForDeath(marks []string, err error) ([]string, error) {
	if errors.Is(err, process.ErrBetween) {
		return nil, process.ErrGone
	}
	return marks, err
}

// believesAnyMark is one that takes each word in the variable for the mark of the tree.
func believesAnyMark(marks []string, err error) ([]string, error) {
	if len(marks) > 0 {
		return []string{theMark}, err
	}
	return marks, err
}

// believesSecrets is one that takes a process that may not be asked for one of the tree.
func believesSecrets(marks []string, err error) ([]string, error) {
	if err != nil && !errors.Is(err, process.ErrGone) && !errors.Is(err, process.ErrBetween) {
		return []string{theMark}, nil
	}
	return marks, err
}

// seesNone is one that sees no mark at all.
func seesNone([]string, error) ([]string, error) { return nil, nil }

var _ = Describe("A wrong way to ask for a mark", Label("explore"), func() {
	unseen := simkernel.Flavour{Forks: process.ForksUnseen}
	secretive := Case{Name: "an orphan of a stranger's hides its environment", Marked: true,
		Root: nil, Strangers: []program{{fork("Y", withhold, stay)}}}
	daemon := Case{Name: "a daemon carries the mark", Marked: true, Root: program{fork("B", daemonize, stay)}}

	type wrongWay = func([]string, error) ([]string, error)
	DescribeTable("is caught when the tracker", func(c Case, how wrongWay, what string) {
		Expect(EveryOrder(c, unseen).Failure).To(BeEmpty(), "the right way")
		c.Misread = how
		found := EveryOrder(c, unseen)
		Expect(found.Failure).To(ContainSubstring(what), "%s", strings.Join(found.Story, "\n"))
	},
		Entry("takes the moment between two programs for an answer", betweenPrograms, wrongWay(takesMomentForAnswer), "carries the mark"),
		Entry("takes that moment for the end", betweenPrograms, wrongWay(takesMomentForDeath), "carries the mark"),
		Entry("believes any mark", forgedByStranger, wrongWay(believesAnyMark), "is a member"),
		Entry("believes a process that may not be asked", secretive, wrongWay(believesSecrets), "is a member"),
		Entry("sees no mark", daemon, wrongWay(seesNone), "the tracker was shown that it belongs to the tree"),
	)
})
