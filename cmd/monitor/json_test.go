package main

import (
	"bytes"
	"encoding/json"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/monitor"
	"github.com/gemini-monitor/gemini/tracker/process"
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
  "directory": "/src",
  "user": 501,
  "host": "box",
  "created": "2026-01-02T03:04:05.6Z",
  "root": "/store/runtimes/build/root",
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

	It("of tree is stable: the members that info prints", func() {
		Expect(printed(aStatus().Members)).To(Equal(indented(membersJSON)))
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
