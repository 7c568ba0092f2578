package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/monitor"
	"github.com/gemini-monitor/gemini/tracker/process"
	"github.com/gemini-monitor/gemini/tracker/trees"
)

// nameOf makes a name of a program as the table has it.
func nameOf(text string) (n process.Name) {
	Expect(n.UnmarshalText([]byte(text))).To(Succeed())
	return n
}

func identity(pid int) process.Identity {
	return process.Identity{PID: pid, Start: process.StartTime(pid), Boot: "b00t"}
}

// member returns a process that joined as a child, or by another link if one is given.
func member(pid, parent int, command string, link ...trees.Link) trees.Member {
	m := trees.Member{
		Process: process.Process{Identity: identity(pid), Parent: parent, Group: pid, Session: 10, User: 501, Command: nameOf(command)},
		Link:    trees.Link{Kind: trees.LinkParent, Through: identity(parent)},
		Joined:  time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
	}
	if len(link) > 0 {
		m.Link = link[0]
	}
	return m
}

var theRoot = trees.Link{Kind: trees.LinkRoot}

// aStatus has every field set.
func aStatus() monitor.Status {
	watcher := identity(20)
	return monitor.Status{
		Record: monitor.Record{
			Version: 1, Name: "build", State: monitor.StateUnknown, Reason: "no memory",
			Owner: identity(10), Monitor: &watcher, Command: []string{"make", "-j 8"},
			StartedIn: "/src", User: 501, Host: "box", Created: time.Date(2026, 1, 2, 3, 4, 5, 600000000, time.UTC),
		},
		Root: "/store/runtimes/build/root", Log: "/store/runtimes/build/monitor.log",
		Members: []trees.Member{member(10, 5, "make", theRoot), member(11, 10, "cc")},
	}
}

// now is when the specs look, without a terminal, as the user whose processes they are.
func now(t time.Time) view { return view{t, 501, 0} }

func draw(members ...trees.Member) string {
	GinkgoHelper()
	var shown []shownMember
	for _, m := range members {
		shown = append(shown, shownMember{Member: m})
	}
	return drawn(now(time.Now()), shown...)
}

func drawn(v view, members ...shownMember) string {
	GinkgoHelper()
	var out bytes.Buffer
	Expect(printTree(&out, members, v)).To(Succeed())
	return out.String()
}

// lines takes the indentation of the spec from a drawing.
func lines(text string) string {
	text = strings.TrimPrefix(text, "\n")
	indent := text[:len(text)-len(strings.TrimLeft(text, "\t"))]
	text = strings.ReplaceAll("\n"+text, "\n"+indent, "\n")
	return strings.TrimRight(text[1:], "\t")
}

var _ = Describe("A drawing of members", func() {
	It("is empty without members", func() {
		Expect(draw()).To(BeEmpty())
	})

	It("has each below its parent, in the order given", func() {
		Expect(draw(
			member(10, 5, "bash", theRoot),
			member(11, 10, "make"),
			member(12, 11, "cc"),
			member(13, 11, "cc"),
			member(14, 13, "as"),
			member(15, 10, "sleep"),
		)).To(Equal(lines(`
			10 bash
			├─ 11 make
			│  ├─ 12 cc
			│  └─ 13 cc
			│     └─ 14 as
			└─ 15 sleep
			`)))
	})

	It("has an orphan below the member that its link leads to, with the link", func() {
		Expect(draw(
			member(10, 5, "bash", theRoot),
			member(11, 1, "sleep", trees.Link{Kind: trees.LinkGroup, Through: identity(10)}),
			member(12, 1, "daemon", trees.Link{Kind: trees.LinkSession, Through: identity(10)}),
			member(13, 1, "job"), // a child of 1 by its link, which is no member
		)).To(Equal(lines(`
			10 bash
			├─ 11 sleep, joined as orphan in the group of 10
			└─ 12 daemon, joined as orphan in the session of 10
			13 job
			`)))
	})

	It("has an orphan at the top where the process that its link leads to has gone", func() {
		Expect(draw(
			member(11, 1, "sleep", trees.Link{Kind: trees.LinkParent, Through: identity(10)}),
			member(12, 1, "daemon", trees.Link{Kind: trees.LinkSession, Through: identity(10)}),
			member(13, 12, "worker"),
		)).To(Equal(lines(`
			11 sleep, joined as child of 10
			12 daemon, joined as orphan in the session of 10
			└─ 13 worker
			`)))
	})

	It("has the state of a member that does not run, and what was known before", func() {
		stopped := member(10, 5, "vi", theRoot)
		stopped.State = process.Stopped
		exiting := member(11, 10, "cp", trees.Link{Kind: trees.LinkKnown})
		exiting.State = process.Exiting
		Expect(draw(stopped, exiting)).To(Equal(lines(`
			10 vi (stopped)
			└─ 11 cp (exiting), joined as known from before
			`)))
	})

	It("has the command line, the age, and the user if it is another one", func() {
		noon := time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
		root := shownMember{member(10, 5, "bash", theRoot), detail{Arguments: []string{"bash", "-c", "sleep 1"}, Started: noon.Add(-time.Hour)}}
		other := shownMember{member(11, 1, "sleep", trees.Link{Kind: trees.LinkGroup, Through: identity(10)}),
			detail{Arguments: []string{"sleep", "\xff"}, Cut: true, Started: noon.Add(-3 * time.Minute), UserName: "alice"}}
		other.User, other.State = 502, process.Stopped
		nameless, hidden := other, other
		nameless.UserName, hidden.Start = "", 0
		hidden.Started = time.Time{}
		Expect(drawn(now(noon), root, other, nameless, hidden)).To(Equal(lines(`
			10 bash -c 'sleep 1' (1 h 0 min)
			├─ 11 sleep $'\377' … (3 min, alice, stopped), joined as orphan in the group of 10
			├─ 11 sleep $'\377' … (3 min, user 502, stopped), joined as orphan in the group of 10
			└─ 11 sleep $'\377' … (stopped), joined as orphan in the group of 10
			`)))
	})

	It("is as wide as the terminal", func() {
		noon := time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
		root := shownMember{member(10, 5, "bash", theRoot), detail{Arguments: []string{"bash"}, Started: noon}}
		long := shownMember{member(11, 10, "cc"), detail{Arguments: append([]string{"cc"}, slices.Repeat([]string{"größe.o"}, 20)...), Started: noon}}
		v := now(noon)
		v.width = 40
		Expect(drawn(v, root, long)).To(Equal(lines(`
			10 bash (0 s)
			└─ 11 cc 'größe.o' 'größe.o' 'grö… (0 s)
			`)))
		v.width = 20
		Expect(drawn(v, root, long)).To(Equal("10 bash (0 s)\n└─ 11 cc 'größe.o' …\n"))
	})

	It("has the root at the top, though its parent joined the group that it leads", func() {
		Expect(draw(
			member(9, 1, "init", trees.Link{Kind: trees.LinkGroup, Through: identity(10)}),
			member(10, 9, "bash", theRoot),
		)).To(Equal(lines(`
			10 bash
			└─ 9 init, joined as orphan in the group of 10
			`)))
	})
})

var _ = Describe("A command line", func() {
	DescribeTable("is written so that a shell reads it back", func(written string, words ...string) {
		Expect(commandLine(words)).To(Equal(written))
	},
		Entry("plain", "make -j8 CC=gcc ./a,b:c@d%e+f_g", "make", "-j8", "CC=gcc", "./a,b:c@d%e+f_g"),
		Entry("with spaces", "echo 'a b'", "echo", "a b"),
		Entry("with nothing in a word", "echo ''", "echo", ""),
		Entry("with quotes", `echo 'it'\''s' '"'`, "echo", "it's", `"`),
		Entry("with what shells expand", "echo '$HOME' '*' '~' '`x`' 'a;b' '#'", "echo", "$HOME", "*", "~", "`x`", "a;b", "#"),
		Entry("with backslashes", `echo '\'`, "echo", `\`),
		Entry("beyond ASCII", "echo 'größe'", "echo", "größe"),
		Entry("empty", ""),
	)

	It("is one line, and no word of it reaches the terminal as a command", func() {
		for _, word := range []string{"two\nlines", "a\ttab", "\x1b[2J", "\r", "\x7f", "\xff", "\u009b"} {
			Expect(commandLine([]string{word})).NotTo(MatchRegexp("[\x00-\x1f\x7f\u0080-\u009f]"), "%q", word)
		}
	})
})

var _ = Describe("What a user reads", func() {
	It("of info", func() {
		var out bytes.Buffer
		status := aStatus()
		status.User = os.Geteuid()
		status.Created = time.Date(2026, 1, 2, 3, 4, 5, 600000000, time.Local)
		Expect(printInfo(&out, status)).To(Succeed())
		Expect(out.String()).To(Equal(lines(`
			name:       build
			state:      unknown
			reason:     no memory
			command:    make '-j 8'
			started_in: /src
			owner:      PID 10
			monitor:    PID 20
			members:    2
			created:    ` + status.Created.Format(time.RFC3339) + `
			directory:  /store/runtimes/build/root
			log:        /store/runtimes/build/monitor.log
			`)))
	})

	It("of info: a directory as a shell reads it back", func() {
		var out bytes.Buffer
		status := aStatus()
		status.Root = "/Library/Application Support/root"
		Expect(printInfo(&out, status)).To(Succeed())
		Expect(out.String()).To(ContainSubstring("directory:  '/Library/Application Support/root'\n"))
	})

	It("of info, where there is no reason and no monitor", func() {
		var out bytes.Buffer
		status := aStatus()
		status.State, status.Reason, status.Monitor = monitor.StateStarting, "", nil
		Expect(printInfo(&out, status)).To(Succeed())
		Expect(out.String()).NotTo(Or(ContainSubstring("reason"), ContainSubstring("monitor:")))
	})

	It("of info, where the owner has ended and the user is another one", func() {
		var out bytes.Buffer
		status := aStatus()
		status.OwnerEnded, status.User = true, 99999
		Expect(printInfo(&out, status)).To(Succeed())
		Expect(out.String()).To(And(MatchRegexp(`(?m)^owner: +PID 10, which has ended$`), MatchRegexp(`(?m)^user: +user 99999$`)))
	})

	broken := monitor.Status{Record: monitor.Record{Name: "bad", State: monitor.StateBroken, Reason: "it is torn"}}

	It("of info, where the record is broken: nothing made up", func() {
		var out bytes.Buffer
		Expect(printInfo(&out, broken)).To(Succeed())
		Expect(out.String()).To(Equal("name:   bad\nstate:  broken\nreason: it is torn\n"))
	})

	It("of list", func() {
		var out bytes.Buffer
		status := aStatus()
		ended := status
		ended.Name, ended.OwnerEnded = "ended", true
		Expect(printList(&out, []monitor.Status{broken, status, ended}, now(status.Created.Add(90*time.Second)))).To(Succeed())
		Expect(out.String()).To(Equal(lines(`
			NAME   STATE    PID  MEMBERS  AGE    COMMAND
			bad    broken   -    -        -      it is torn
			build  unknown  10   2        1m30s  make '-j 8'
			ended  unknown  -    2        1m30s  make '-j 8'
			`)))
	})

	It("of list, where runtimes are another user's", func() {
		var out bytes.Buffer
		mine, other := aStatus(), aStatus()
		other.Name, other.User = "other", 99999
		Expect(printList(&out, []monitor.Status{broken, mine, other}, now(mine.Created))).To(Succeed())
		Expect(out.String()).To(Equal(lines(`
			NAME   STATE    USER        PID  MEMBERS  AGE  COMMAND
			bad    broken               -    -        -    it is torn
			build  unknown              10   2        0s   make '-j 8'
			other  unknown  user 99999  10   2        0s   make '-j 8'
			`)))
	})

	It("of list, on a terminal: commands are cut where the line ends", func() {
		var out bytes.Buffer
		v := now(aStatus().Created)
		v.width = 40
		Expect(printList(&out, []monitor.Status{aStatus()}, v)).To(Succeed())
		Expect(out.String()).To(Equal(lines(`
			NAME   STATE    PID  MEMBERS  AGE  COMM…
			build  unknown  10   2        0s   make…
			`)))
	})

	It("of list, where the clock was set back", func() {
		var out bytes.Buffer
		status := aStatus()
		Expect(printList(&out, []monitor.Status{status}, now(status.Created.Add(-time.Hour)))).To(Succeed())
		Expect(out.String()).To(MatchRegexp(`(?m)^build +unknown +10 +2 +0s `))
	})

	It("of list, where there is none", func() {
		var out bytes.Buffer
		Expect(printList(&out, nil, now(time.Now()))).To(Succeed())
		Expect(out.String()).To(Equal("NAME  STATE  PID  MEMBERS  AGE  COMMAND\n"))
	})

	It("of list --quiet", func() {
		var out bytes.Buffer
		Expect(printNames(&out, []monitor.Status{broken, aStatus()})).To(Succeed())
		Expect(out.String()).To(Equal("bad\nbuild\n"))
	})

	It("of list: a line for each runtime, whatever the commands are", func() {
		var out bytes.Buffer
		status := aStatus()
		status.Command = []string{"sh", "-c", "one\ntwo\tthree"}
		Expect(printList(&out, []monitor.Status{status, status}, now(time.Now()))).To(Succeed())
		Expect(strings.Count(out.String(), "\n")).To(Equal(3))
	})
})

var _ = Describe("What a terminal must not get", func() {
	const odd = "a\nb\x1b[2J\u009b\u202e\u2028\x7f"
	raw := MatchRegexp("[\x00-\x09\x0b-\x1f\x7f\u0080-\u009f\u202e\u2028]")

	It("is in no field of a record, whatever that has", func() {
		status := aStatus()
		status.State, status.Reason, status.Root, status.Log, status.StartedIn = odd, odd, "/"+odd, "/"+odd, "/"+odd
		status.User = os.Geteuid()
		status.Command = []string{odd}
		var info, list bytes.Buffer
		Expect(printInfo(&info, status)).To(Succeed())
		Expect(info.String()).NotTo(raw)
		Expect(strings.Count(info.String(), "\n")).To(Equal(11))
		Expect(info.String()).To(MatchRegexp(`(?m)^directory: +\$'/a\\nb\\033\[2J`))
		Expect(printList(&list, []monitor.Status{status}, now(time.Now()))).To(Succeed())
		Expect(list.String()).NotTo(raw)
		Expect(strings.Count(list.String(), "\n")).To(Equal(2))
	})

	It("is in no link of a drawing", func() {
		m := shownMember{member(10, 5, odd, trees.Link{Kind: odd}), detail{Arguments: []string{odd}, UserName: odd}}
		m.User = 99
		Expect(drawn(now(time.Now()), m)).NotTo(raw)
		m.Arguments = nil
		Expect(drawn(now(time.Now()), m)).NotTo(raw)
	})

	It("is not in JSON, which says the same", func() {
		status := aStatus()
		status.Root, status.Command = odd+"\U000e0001", []string{"größe", "\U0001f600"}
		var text bytes.Buffer
		Expect(printJSON(&text, status)).To(Succeed())
		Expect(text.String()).NotTo(raw)
		Expect(text.String()).To(And(ContainSubstring("größe"), ContainSubstring("\U0001f600"), Not(ContainSubstring("\U000e0001"))))
		var read monitor.Status
		Expect(json.Unmarshal(text.Bytes(), &read)).To(Succeed())
		Expect(read.Root).To(Equal(status.Root))
	})

	DescribeTable("is not in an error, which is one line", func(expected string, err error) {
		Expect(oneLine(err)).To(Equal(expected))
	},
		Entry("plain", "a; b's", errors.New("a; b's")),
		Entry("joined", "a; b; c", errors.Join(errors.New("a"), errors.Join(errors.New("b"), errors.New("c")))),
		Entry("joined below", "open: a; b: done", fmt.Errorf("open: %w: done", errors.Join(errors.New("a"), errors.New("b")))),
		Entry("with a name of two lines", `stat /a\nb: gone`, fmt.Errorf("stat /a\nb: %w", errors.New("gone"))),
		Entry("with such a name below", `open: stat /a\nb\033: gone; \001`,
			errors.Join(fmt.Errorf("open: %w", &os.PathError{Op: "stat", Path: "/a\nb\x1b", Err: errors.New("gone")}), errors.New("\x01"))),
		Entry("with two causes", `\033 a, b`, fmt.Errorf("\x1b %w, %w", errors.New("a"), errors.New("b"))),
		Entry("with an exit code", `\033`, &exitError{1, errors.New("\x1b")}),
		Entry("with a part that its text does not have", "other", &exitAs{errors.New("part"), "other"}),
	)
})

// exitAs is an error whose text does not have that of the error it wraps.
type exitAs struct {
	error
	text string
}

func (e *exitAs) Error() string { return e.text }
func (e *exitAs) Unwrap() error { return e.error }
