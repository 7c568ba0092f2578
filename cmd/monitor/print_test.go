package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/monitor"
	"github.com/gemini-monitor/gemini/tracker/trees"
)

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
