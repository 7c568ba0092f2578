package monitor_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/monitor"
	"github.com/gemini-monitor/gemini/tracker/process"
	"github.com/gemini-monitor/gemini/tracker/trees"
)

var _ = Describe("A journal", func() {
	var path string
	noon := time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

	BeforeEach(func() {
		path = filepath.Join(GinkgoT().TempDir(), monitor.JournalFile)
		Expect(os.WriteFile(path, nil, 0o600)).To(Succeed())
	})

	open := func() monitor.Journal {
		GinkgoHelper()
		journal, err := monitor.OpenJournal(path)
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(journal.Close)
		return journal
	}

	text := func() string {
		GinkgoHelper()
		text, err := os.ReadFile(path)
		Expect(err).NotTo(HaveOccurred())
		return string(text)
	}

	member := func(pid int, link trees.Link) trees.Member {
		return trees.Member{
			Process: process.Process{Identity: process.Identity{PID: pid, Start: 5, Boot: "now"}, Parent: 1},
			Link:    link, Joined: noon,
		}
	}
	childOf := func(pid, parent int) trees.Member {
		return member(pid, trees.Link{Kind: trees.LinkParent, Through: process.Identity{PID: parent, Start: 4, Boot: "now"}})
	}
	joined := func(m trees.Member) trees.Change {
		return trees.Change{Kind: trees.Joined, Time: noon, Member: m}
	}
	left := func(m trees.Member) trees.Change {
		return trees.Change{Kind: trees.Left, Time: noon, Member: m}
	}

	It("keeps the members that joined and did not leave, with their links", func() {
		first, second, third := member(10, trees.Link{Kind: trees.LinkRoot}), childOf(11, 10), childOf(12, 11)
		journal := open()
		Expect(journal.Append(joined(first), joined(second))).To(Succeed())
		Expect(journal.Append(left(first), joined(third))).To(Succeed())
		Expect(open().Members()).To(Equal(map[process.Identity]trees.Member{
			second.Identity: second, third.Identity: third,
		}))
	})

	It("keeps processes with the same PID apart", func() {
		old, young := childOf(10, 1), childOf(10, 1)
		young.Start++
		journal := open()
		Expect(journal.Append(joined(old), joined(young), left(old))).To(Succeed())
		Expect(open().Members()).To(And(HaveLen(1), HaveKey(young.Identity)))
	})

	// inGroup is a member that was in a group when it joined.
	inGroup := func(pid, group int) trees.Member {
		m := childOf(pid, 10)
		m.Group = group
		return m
	}

	It("keeps former members too: one may have led the group of a member", func() {
		leader, follower := inGroup(11, 11), inGroup(12, 11)
		Expect(open().Append(joined(leader), joined(follower), left(leader))).To(Succeed())
		Expect(open().Relatives()).To(ConsistOf(leader.Identity, follower.Identity))
	})

	It("keeps them also where no member was in their group when it joined: a member may enter it later", func() {
		leader, follower := inGroup(11, 11), inGroup(12, 10)
		Expect(open().Append(joined(leader), joined(follower), left(leader))).To(Succeed())
		Expect(open().Relatives()).To(ConsistOf(leader.Identity, follower.Identity))
	})

	It("keeps the first link of a member, which is stronger evidence than a later one", func() {
		Expect(open().Append(joined(childOf(11, 10)))).To(Succeed())
		journal := open()
		Expect(journal.Append(joined(member(11, trees.Link{Kind: trees.LinkKnown})))).To(Succeed())
		for _, j := range []monitor.Journal{journal, open()} {
			Expect(j.Members()[childOf(11, 10).Identity].Link.Kind).To(Equal(trees.LinkParent))
		}
		Expect(strings.Count(text(), "\n")).To(Equal(1))
	})

	It("has the documented form", func() {
		Expect(open().Append(
			joined(childOf(11, 10)),
			trees.Change{Kind: trees.Unreadable, Time: noon, Err: errors.New("no memory")},
			trees.Change{Kind: trees.Readable, Time: noon},
			left(childOf(11, 10)),
			trees.Change{Kind: trees.Emptied, Time: noon.In(time.FixedZone("elsewhere", 3600))},
		)).To(Succeed())
		who := `{"pid":11,"start":5,"boot":"now","parent":1,"user":0,"state":"running",` +
			`"link":{"kind":"parent","through":{"pid":10,"start":4,"boot":"now"}},"joined":"2026-01-02T12:00:00Z"}`
		Expect(text()).To(Equal(`{"time":"2026-01-02T12:00:00Z","event":"joined","member":` + who + `}
{"time":"2026-01-02T12:00:00Z","event":"unreadable","reason":"no memory"}
{"time":"2026-01-02T12:00:00Z","event":"readable"}
{"time":"2026-01-02T12:00:00Z","event":"left","member":` + who + `}
{"time":"2026-01-02T12:00:00Z","event":"emptied"}
`))
	})

	It("drops half a line at its end and goes on behind the whole ones", func() {
		Expect(open().Append(joined(childOf(11, 10)), joined(childOf(12, 10)))).To(Succeed())
		whole := text()
		for _, torn := range []int{1, 30, 200} {
			cut := whole[:len(whole)-torn]
			Expect(os.WriteFile(path, []byte(cut), 0o600)).To(Succeed())
			journal := open()
			Expect(journal.Members()).To(And(HaveLen(1), HaveKey(childOf(11, 10).Identity)))
			Expect(journal.Append(joined(childOf(12, 10)))).To(Succeed())
			Expect(text()).To(Equal(whole), "%d bytes torn off", torn)
		}
	})

	DescribeTable("with something in its middle that is no entry is broken and stays as it is", func(garbage string) {
		journal := open()
		Expect(journal.Append(joined(childOf(11, 10)))).To(Succeed())
		place := len(text())
		Expect(os.WriteFile(path, []byte(text()+garbage+"\n"+text()), 0o600)).To(Succeed())
		before := text()
		_, err := monitor.OpenJournal(path)
		Expect(err).To(MatchError(monitor.ErrBroken))
		Expect(err).To(MatchError(ContainSubstring(fmt.Sprintf("journal, byte %d: ", place))))
		Expect(text()).To(Equal(before))
	},
		Entry("words", "garbage"),
		Entry("nothing", ""),
		Entry("zeros, as after a crash of the machine", "\x00\x00\x00"),
		Entry("two entries run together", `{"event":"left"}{"event":"left"}`),
		Entry("half an entry", `{"time":"2026-01-02T12:00:00Z","event":"joi`),
		Entry("an entry of another kind", `{"event":"joined","member":4711}`),
	)

	It("is an error where it is missing", func() {
		Expect(os.Remove(path)).To(Succeed())
		_, err := monitor.OpenJournal(path)
		Expect(err).To(MatchError(os.ErrNotExist))
		Expect(path).NotTo(BeAnExistingFile())
	})

	It("does not grow for ever: former members are dropped, members and links stay", func() {
		stays := []trees.Member{member(10, trees.Link{Kind: trees.LinkRoot}), childOf(11, 10)}
		journal := open()
		Expect(journal.Append(joined(stays[0]), joined(stays[1]))).To(Succeed())
		const comings = 3 * monitor.MaxLines
		for pid := 100; pid < 100+comings; pid++ {
			Expect(journal.Append(joined(childOf(pid, 10)), left(childOf(pid, 10)))).To(Succeed())
		}
		Expect(strings.Count(text(), "\n")).To(BeNumerically("<=", monitor.MaxLines))
		Expect(contents(filepath.Dir(path))).To(Equal([]string{monitor.JournalFile}))
		last := childOf(99, 11)
		Expect(journal.Append(joined(last))).To(Succeed())
		for _, j := range []monitor.Journal{journal, open()} {
			Expect(j.Members()).To(Equal(map[process.Identity]trees.Member{
				stays[0].Identity: stays[0], stays[1].Identity: stays[1], last.Identity: last,
			}))
		}
	})

	It("has each state of the record once, also behind those of an earlier monitor", func() {
		journal := open()
		journal.State(monitor.StateRunning, "")
		journal.State(monitor.StateRunning, "")
		journal.State(monitor.StateUnknown, "no memory")
		next := open()
		next.State(monitor.StateUnknown, "no memory")
		next.State(monitor.StateRunning, "")
		Expect(regexp.MustCompile(`"time":"[^"]*"`).ReplaceAllString(text(), `"time":0`)).To(Equal(`{"time":0,"event":"state","state":"running"}
{"time":0,"event":"state","state":"unknown","reason":"no memory"}
{"time":0,"event":"state","state":"running"}
`))
	})

	It("begins with how many events it has had when it is shortened, for a reader to find what it missed", func() {
		journal := open()
		journal.State(monitor.StateRunning, "")
		Expect(journal.Append(joined(childOf(10, 1)))).To(Succeed())
		before, err := os.Open(path)
		Expect(err).NotTo(HaveOccurred())
		defer before.Close()
		const comings = monitor.MaxLines / 2
		for pid := 100; pid < 100+comings; pid++ {
			Expect(journal.Append(joined(childOf(pid, 10)), left(childOf(pid, 10)))).To(Succeed())
		}
		all, err := io.ReadAll(before)
		Expect(err).NotTo(HaveOccurred())
		Expect(bytes.Count(all, []byte("\n"))).To(Equal(2+2*comings), "a reader that has it open gets the last lines too")
		for _, again := range []int{0, 1} {
			first, _, _ := strings.Cut(text(), "\n")
			Expect(first).To(MatchRegexp(`^{"time":"[^"]+","event":"shortened","state":"running","before":%d,"kept":1}$`, 2+2*comings*(1+again)))
			journal = open()
			for pid := 100; pid < 100+comings; pid++ {
				Expect(journal.Append(joined(childOf(pid+again, 10)), left(childOf(pid+again, 10)))).To(Succeed())
			}
		}
	})

	It("keeps the former members that link a member when it drops the others", func() {
		leader, follower := inGroup(11, 11), inGroup(12, 11)
		journal := open()
		Expect(journal.Append(joined(leader), joined(follower), left(leader))).To(Succeed())
		for pid := 100; pid < 100+monitor.MaxLines; pid++ {
			Expect(journal.Append(joined(inGroup(pid, 10)), left(inGroup(pid, 10)))).To(Succeed())
		}
		Expect(strings.Count(text(), "\n")).To(BeNumerically("<=", monitor.MaxLines))
		Expect(open().Relatives()).To(ContainElements(leader.Identity, follower.Identity))
	})

	It("keeps all members, however many there are", func() {
		const many = 2 * monitor.MaxLines
		journal := open()
		for pid := range many {
			Expect(journal.Append(joined(childOf(pid+100, 10)))).To(Succeed())
		}
		Expect(bytes.Count([]byte(text()), []byte("\n"))).To(Equal(many))
		Expect(open().Members()).To(HaveLen(many))
	})
})
