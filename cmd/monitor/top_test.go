//go:build darwin || linux

package main

import (
	"fmt"
	"os"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/monitor"
	"github.com/gemini-monitor/gemini/tracker/trees"
)

// aTable has so many runtimes with two processes each.
func aTable(count int) (t table) {
	for n := range count {
		s := aStatus()
		s.Name, s.State, s.Reason = fmt.Sprint("build-", n), monitor.StateRunning, ""
		s.Members = []trees.Member{member(10, 5, "make", theRoot), member(11, 10, "cc")}
		t.runtimes = append(t.runtimes, s)
		t.members = append(t.members, []shownMember{{Member: s.Members[0]}, {Member: s.Members[1]}})
	}
	return t
}

var _ = Describe("The screen of top", func() {
	v := view{now: aStatus().Created.Add(90 * time.Second), self: 501}

	// shown returns the lines of a frame without what is for the terminal.
	shown := func(f *frame, t table) []string {
		text := f.draw(t, v)
		Expect(text).To(HavePrefix(home))
		Expect(text).To(HaveSuffix(clearLine + clearBelow))
		for _, control := range []string{home, clearLine, clearBelow, reverse, bold, normal} {
			text = strings.ReplaceAll(text, control, "")
		}
		lines := strings.Split(text, "\r\n")
		Expect(lines).To(HaveLen(f.rows))
		for _, line := range lines {
			Expect(columns(line)).To(BeNumerically("<=", f.columns), line)
		}
		return lines
	}

	It("has a heading, runtimes with their processes, and the keys", func() {
		lines := shown(&frame{rows: 7, columns: 80}, aTable(1))
		Expect(lines[0]).To(MatchRegexp(`^NAME +STATE +PID +MEMBERS +AGE +COMMAND *$`))
		Expect(columns(lines[0])).To(Equal(80))
		Expect(lines[1]).To(Equal("build-0  running  10   2        1m30s  make '-j 8'"))
		Expect(lines[2:]).To(Equal([]string{"  10 make", "  └─ 11 cc", "", "", "q quit, t hide processes"}))
	})

	It("has runtimes alone after t, and processes again after another one", func() {
		f := &frame{rows: 6, columns: 80}
		Expect(f.press("t")).To(BeFalse())
		Expect(shown(f, aTable(2))[1:]).To(HaveExactElements(HavePrefix("build-0"), HavePrefix("build-1"), "", "", "q quit, t show processes"))
		f.press("t")
		Expect(shown(f, aTable(2))[2]).To(Equal("  10 make"))
	})

	It("scrolls, no further than there is something", func() {
		f, t := &frame{rows: 7, columns: 80, bare: true}, aTable(20)
		at := func() string { return strings.Fields(shown(f, t)[1])[0] }
		for _, c := range []struct{ keys, first string }{
			{"", "build-0"}, {"k", "build-0"}, {"j", "build-1"}, {"\x1b[B\x1bOB", "build-3"}, {"\x1b[A", "build-2"},
			{"f", "build-6"}, {"\x1b[6~ ", "build-14"}, {"j", "build-15"}, {"j", "build-15"}, {"b", "build-11"},
			{"\x1b[5~", "build-7"}, {"G", "build-15"}, {"k", "build-14"}, {"g", "build-0"}, {"\x1b[F", "build-15"}, {"\x1b[1~", "build-0"}, {"x\x1b[99~", "build-0"},
		} {
			keys, rest := keysOf(c.keys)
			Expect(rest).To(BeEmpty())
			for _, k := range keys {
				Expect(f.press(k)).To(BeFalse())
			}
			Expect(at()).To(Equal(c.first), "%q", c.keys)
		}
		f.press("G")
		Expect(shown(f, t)[6]).To(Equal("q quit, t show processes, arrows scroll: 16-20 of 20"))
		t = aTable(3)
		Expect(at()).To(Equal("build-0"), "the table has got shorter")
		Expect(f.press("q")).To(BeTrue())
	})

	It("fits any size", func() {
		for rows := 2; rows < 12; rows++ {
			for _, columns := range []int{1, 2, 5, 20, 200} {
				if rows == 2 {
					Expect((&frame{rows: rows, columns: columns}).draw(aTable(3), v)).NotTo(BeEmpty())
					continue
				}
				Expect(shown(&frame{rows: rows, columns: columns, from: 3}, aTable(3))).To(HaveLen(rows))
			}
		}
		Expect(shown(&frame{rows: 4, columns: 80}, table{})).To(HaveLen(4))
	})

	It("has no colours, and nothing but positions where it is plain", func() {
		Expect((&frame{rows: 5, columns: 20}).draw(aTable(1), v)).NotTo(MatchRegexp(`\x1b\[[0-9;]*[34][0-9]`))
		text := (&frame{rows: 5, columns: 20, plain: true}).draw(aTable(1), v)
		Expect(strings.NewReplacer(home, "", clearLine, "", clearBelow, "").Replace(text)).NotTo(ContainSubstring("\x1b"))
	})

	It("has a note in place of the keys", func() {
		Expect(shown(&frame{rows: 4, columns: 10, note: "no memory is left"}, aTable(1))[3]).To(Equal("no memory…"))
	})

	DescribeTable("takes keys", func(text string, keys []string, rest string) {
		got, left := keysOf(text)
		Expect(got).To(Equal(keys))
		Expect(left).To(Equal(rest))
	},
		Entry("letters", "qt", []string{"q", "t"}, ""),
		Entry("arrows", "\x1b[A\x1bOB", []string{"\x1b[A", "\x1bOB"}, ""),
		Entry("a part of an arrow", "q\x1b[", []string{"q"}, "\x1b["),
		Entry("another part", "\x1bO", nil, "\x1bO"),
		Entry("escape and a letter", "\x1bq", []string{"\x1b", "q"}, ""),
		Entry("page keys", "\x1b[5~\x1b[6~", []string{"\x1b[5~", "\x1b[6~"}, ""),
	)
})

var _ = Describe("The command top", func() {
	It("prints what list and tree print, where there is no terminal", func() {
		r := create("build", "make", "-j 8")
		join(r, self())
		Expect(call("top").Stdout).To(MatchRegexp(`^NAME +STATE +PID +MEMBERS +AGE +COMMAND\nbuild +\w+ +%d +1 +\d+s +make '-j 8'\n$`, os.Getpid()))
		Expect(call("top", "build").Stdout).To(MatchRegexp(`^NAME .*\nbuild .*\n%d .*\n$`, os.Getpid()))
		Expect(call("top", "none")).To(fails(exitNo, `^runtime "none" does not exist$`))
	})
})
