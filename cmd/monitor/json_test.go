package main

import (
	"bytes"
	"encoding/json"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/monitor"
	"github.com/gemini-monitor/gemini/tracker/process"
	"github.com/gemini-monitor/gemini/tracker/trees"
)

// Programs read this. A field may be added; none may change or go. docs/store.md
// documents them.
const membersJSON = `[
  {
    "pid": 10,
    "start": 10,
    "boot": "b00t",
    "parent": 5,
    "group": 10,
    "session": 10,
    "user": 501,
    "state": "running",
    "command": "make",
    "link": {
      "kind": "root"
    },
    "joined": "2026-01-02T03:04:05Z"
  },
  {
    "pid": 11,
    "start": 11,
    "boot": "b00t",
    "parent": 10,
    "group": 11,
    "session": 10,
    "user": 501,
    "state": "running",
    "command": "cc",
    "link": {
      "kind": "parent",
      "through": {
        "pid": 10,
        "start": 10,
        "boot": "b00t"
      }
    },
    "joined": "2026-01-02T03:04:05Z"
  }
]`

const statusJSON = `{
  "version": 1,
  "name": "build",
  "state": "unknown",
  "reason": "no memory",
  "owner": {
    "pid": 10,
    "start": 10,
    "boot": "b00t"
  },
  "monitor": {
    "pid": 20,
    "start": 20,
    "boot": "b00t"
  },
  "command": [
    "make",
    "-j 8"
  ],
  "started_in": "/src",
  "user": 501,
  "host": "box",
  "created": "2026-01-02T03:04:05.6Z",
  "directory": "/store/runtimes/build/root",
  "log": "/store/runtimes/build/monitor.log",
  "members": ` + membersJSON + `
}`

// indented returns JSON in the form that is printed.
func indented(text string) string {
	var out bytes.Buffer
	Expect(json.Indent(&out, []byte(text), "", "  ")).To(Succeed())
	return out.String() + "\n"
}

var _ = Describe("The JSON", func() {
	printed := func(value any) string {
		GinkgoHelper()
		var out bytes.Buffer
		Expect(printJSON(&out, value)).To(Succeed())
		return out.String()
	}

	It("of info is stable", func() {
		Expect(printed(aStatus())).To(Equal(indented(statusJSON)))
	})

	It("of list is stable: an array of what info prints", func() {
		Expect(printed([]monitor.Status{aStatus()})).To(Equal(indented("[" + statusJSON + "]")))
		Expect(printed([]monitor.Status{})).To(Equal("[]\n"))
	})

	It("of tree is stable: the members that info prints, with what is known of them", func() {
		var plain, shown []shownMember
		for _, m := range aStatus().Members {
			plain = append(plain, shownMember{Member: m})
			shown = append(shown, shownMember{m, detail{[]string{"make", "-j 8"}, true, m.Joined, "alice"}})
		}
		Expect(printed(plain)).To(Equal(indented(membersJSON)))
		more := `"joined": "2026-01-02T03:04:05Z", "arguments": ["make", "-j 8"], "arguments_cut": true,
			"started": "2026-01-02T03:04:05Z", "user_name": "alice"`
		Expect(printed(shown)).To(Equal(indented(strings.ReplaceAll(membersJSON, `"joined": "2026-01-02T03:04:05Z"`, more))))
	})

	It("of a broken runtime has what is known, and no zero for what is not", func() {
		broken := monitor.Status{
			Record: monitor.Record{Name: "bad", State: monitor.StateBroken, Reason: "it is torn"},
			Root:   "/store/runtimes/bad/root", Log: "/store/runtimes/bad/monitor.log", Members: []trees.Member{},
		}
		known := `{"name": "bad", "state": "broken", "reason": "it is torn", "directory": "/store/runtimes/bad/root",
			"log": "/store/runtimes/bad/monitor.log", "members": []}`
		Expect(printed(broken)).To(MatchJSON(known))
		Expect(printed([]monitor.Status{broken})).To(MatchJSON("[" + known + "]"))
	})

	It("of a process leaves out the parent, group and session that it does not show", func() {
		bare := trees.Member{Process: process.Process{Identity: identity(10)}}
		Expect(printed(bare)).NotTo(MatchRegexp("parent|group|session|tracer|through"))
	})

	It("has null where there is no monitor yet, and no reason where there is none", func() {
		status := aStatus()
		status.Monitor, status.Reason = nil, ""
		Expect(printed(status)).To(And(ContainSubstring(`"monitor": null`), Not(ContainSubstring("reason"))))
	})

	It("has the PID of a debugger, where there is one", func() {
		traced := member(10, 5, "make", theRoot)
		traced.Tracer, traced.State = 99, process.Stopped
		Expect(printed(traced)).To(And(ContainSubstring(`"tracer": 99`), ContainSubstring(`"state": "stopped"`)))
	})

	It("is read back as it was", func() {
		var status monitor.Status
		Expect(json.Unmarshal([]byte(statusJSON), &status)).To(Succeed())
		Expect(status).To(Equal(aStatus()))
	})
})
