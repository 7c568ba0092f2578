//go:build darwin || linux

package main

import (
	"bytes"
	"os"
	"path/filepath"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/monitor"
)

var _ = Describe("The command list --all", func() {
	It("prints those that are there, and then those that were removed", func() {
		create("web", "sleep", "9")
		Expect(call("list", "--all").Stdout).To(MatchRegexp(`^NAME +STATE [^\n]*\nweb +starting [^\n]*\n$`), "none was removed yet")
		remembered(aPast("build", monitor.CauseTimeout))
		second := aPast("nightly", monitor.CauseEnded)
		second.Ended = second.Ended.Add(time.Hour)
		remembered(second)
		Expect(call("list", "-a").Stdout).To(MatchRegexp(`(?s)^NAME +STATE .*\nweb +starting .* sleep 9\n\n` +
			`NAME +ENDED +HOW +LASTED +COMMAND\nbuild +2026-01-02 03:04:05 +timeout +1m30s +make '-j 8'\nnightly +2026-01-02 04:04:05 +ended +1h1m30s +make '-j 8'\n$`))
		Expect(call("list", "--all", "-q").Stdout).To(Equal("web\nbuild\nnightly\n"))
		Expect(call("list", "-q").Stdout).To(Equal("web\n"))
		Expect(call("list", "--all", "-q", "--json")).To(fails(2, "^list takes --json or --quiet, not both$"))
	})

	It("prints those that were removed alone, where none is there", func() {
		Expect(call("list", "--all").Stdout).To(MatchRegexp(`^NAME +STATE [^\n]+\n$`))
		Expect(call("list", "--all", "--json").Stdout).To(Equal("[]\n"))
		remembered(aPast("build", monitor.CauseStop))
		Expect(call("list", "--all").Stdout).To(MatchRegexp(`^NAME +STATE [^\n]+\n\nNAME +ENDED `))
	})

	It("prints a line for each, whatever the history has in it", func() {
		odd := aPast("build", monitor.Cause("a\x1b[2J\nb"))
		odd.Command, odd.Ended = []string{"two\nlines", "\x1b[2J"}, odd.Created.Add(-time.Hour) // the clock was set back
		var out bytes.Buffer
		Expect(printAll(&out, nil, []monitor.Past{odd}, view{now: time.Now()})).To(Succeed())
		Expect(out.String()).To(MatchRegexp(`^NAME [^\n]+\n\nNAME [^\n]+\nbuild +\S+ \S+ +a\\033\[2J\\nb +0s +\S[^\n]*\n$`))
		Expect(out.String()).NotTo(ContainSubstring("\x1b"))
	})

	It("prints what could not be deleted once: as stopping", func() {
		create("build", "make")
		past := aPast("build", monitor.CauseEnded)
		past.Owner = self()
		remembered(past)
		Expect(call("list", "--all", "-q").Stdout).To(Equal("build\n"))
	})

	It("fails where the history cannot be read", func() {
		Expect(os.MkdirAll(filepath.Join(storeDir, "history.jsonl"), 0o700)).To(Succeed())
		Expect(os.Chmod(storeDir, 0o700)).To(Succeed())
		Expect(call("list", "--all")).To(fails(1, "^read the history: .*history.jsonl: is not a regular file$"))
		Expect(call("list").Stderr).To(BeEmpty())
	})
})

// Programs read this. docs/store.md documents it.
const pastJSON = `[
  {
    "name": "build",
    "state": "ended",
    "how": "timeout",
    "owner": {
      "pid": 10,
      "start": 10,
      "boot": "b00t"
    },
    "command": [
      "make",
      "-j 8"
    ],
    "started_in": "/src",
    "created": "2026-01-02T03:02:35Z",
    "ended": "2026-01-02T03:04:05Z"
  }
]
`

var _ = It("The JSON of list --all is stable: what list prints, and then what was removed", func() {
	past := aPast("build", monitor.CauseTimeout)
	past.Created, past.Ended = time.Date(2026, 1, 2, 3, 2, 35, 0, time.UTC), time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	var out bytes.Buffer
	Expect(allForm{json: true}.print(&out, nil, []monitor.Past{past})).To(Succeed())
	Expect(out.String()).To(Equal(pastJSON))
	out.Reset()
	Expect(allForm{json: true}.print(&out, []monitor.Status{aStatus()}, nil)).To(Succeed())
	Expect(out.String()).To(Equal(indented("[" + statusJSON + "]")))
})
