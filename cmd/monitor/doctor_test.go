//go:build darwin || linux

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"unicode/utf8"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/internal/checkup"
	"github.com/gemini-monitor/gemini/monitor"
)

// anExamination has every field set.
func anExamination() examination {
	return examination{
		Version: "v0.1.0", System: "linux/amd64", Mechanism: "pidfd", Store: "/home/me/store",
		Findings: []checkup.Finding{
			{Word: checkup.OK, Subject: "runtimes", Is: "none"},
			{Word: checkup.Weaker, Subject: "processor time", Is: "this is so", Follows: "that follows from it", Change: "that would change it, if it were done"},
		},
	}
}

const examinationJSON = `{
  "version": "v0.1.0",
  "system": "linux/amd64",
  "mechanism": "pidfd",
  "store": "/home/me/store",
  "holds": false,
  "findings": [
    {
      "word": "ok",
      "subject": "runtimes",
      "is": "none"
    },
    {
      "word": "weaker",
      "subject": "processor time",
      "is": "this is so",
      "follows": "that follows from it",
      "change": "that would change it, if it were done"
    }
  ]
}
`

var _ = Describe("What doctor prints", func() {
	printed := func(e examination) string {
		GinkgoHelper()
		var out bytes.Buffer
		Expect(printExamination(&out, e)).To(Succeed())
		return out.String()
	}

	It("is a block for each finding", func() {
		Expect(printed(anExamination())).To(Equal(lines(`
			ok       runtimes        none
			weaker   processor time  this is so
			                         so: that follows from it
			                         to change it: that would change it, if it were done
			`)))
	})

	It("ends with a line where all promises hold", func() {
		Expect(printed(examination{Holds: true})).To(Equal("\nAll promises of the README hold here.\n"))
	})

	It("has lines of at most 80 characters, but for words that are longer, which stay whole", func() {
		path := "/" + strings.Repeat("a", 100)
		text := strings.Repeat("größe ", 30) + path + strings.Repeat(" word", 30)
		page := printed(examination{Findings: []checkup.Finding{{Word: checkup.Refused, Subject: "store", Is: text}}})
		Expect(strings.Join(strings.Fields(page), " ")).To(Equal("refused store " + text))
		for line := range strings.Lines(page) {
			if !strings.Contains(line, path) {
				Expect(utf8.RuneCountInString(strings.TrimSuffix(line, "\n"))).To(BeNumerically("<=", 80))
			}
			Expect(line).To(MatchRegexp(`^(refused  store           | {25})\S`))
		}
	})

	It("reaches the terminal in printable characters only", func() {
		page := printed(examination{Findings: []checkup.Finding{{Word: checkup.Note, Subject: "store", Is: "a\x1b[2Jb\u202e", Follows: "c\td", Change: "\x00"}}})
		Expect(strings.ReplaceAll(page, "\n", "")).To(MatchRegexp(`^[ -~]+$`))
	})

	It("is stable as JSON, and is read back as it was", func() {
		var out bytes.Buffer
		Expect(printJSON(&out, anExamination())).To(Succeed())
		Expect(out.String()).To(Equal(examinationJSON))
		var read examination
		Expect(json.Unmarshal(out.Bytes(), &read)).To(Succeed())
		Expect(read).To(Equal(anExamination()))
	})

	It("is documented: each word, and each field of the JSON", Label("sources"), func() {
		page, err := os.ReadFile(filepath.Join("..", "..", "docs", "doctor.md"))
		if errors.Is(err, fs.ErrNotExist) {
			Skip("the sources are elsewhere")
		}
		Expect(err).NotTo(HaveOccurred())
		fields := regexp.MustCompile(`"(\w+)":`).FindAllStringSubmatch(examinationJSON, -1)
		Expect(len(fields)).To(BeNumerically(">", 10))
		for _, field := range fields {
			Expect(string(page)).To(ContainSubstring("\n| `"+field[1]+"` |"), field[1])
		}
		for _, word := range []checkup.Word{checkup.OK, checkup.Note, checkup.Weaker, checkup.Refused} {
			Expect(string(page)).To(ContainSubstring("\n| `"+string(word)+"` |"), string(word))
		}
	})

	DescribeTable("names what failed", func(line string, findings ...checkup.Finding) {
		Expect(examination{Findings: findings}.failure()).To(MatchError(line))
	},
		Entry(nil, "weaker here than the README says: tracking, resident",
			checkup.Finding{Word: checkup.Weaker, Subject: "tracking"}, checkup.Finding{Word: checkup.Note, Subject: "store"}, checkup.Finding{Word: checkup.Weaker, Subject: "resident"}, checkup.Finding{Word: checkup.Weaker, Subject: "resident"}),
		Entry(nil, "no runtime can be made here: store; weaker here than the README says: tracking",
			checkup.Finding{Word: checkup.Weaker, Subject: "tracking"}, checkup.Finding{Word: checkup.Refused, Subject: "store"}),
	)

	It("is no failure where all is ok or a note", func() {
		Expect(examination{Findings: []checkup.Finding{{Word: checkup.OK}, {Word: checkup.Note}}}.failure()).To(Succeed())
	})
})

var _ = Describe("The command doctor", func() {
	// examined calls doctor and returns what it printed as JSON. The specs have
	// MONITOR_RESIDENT=no, so one promise is always weaker.
	examined := func(args ...string) (e examination) {
		GinkgoHelper()
		said := call(append([]string{"doctor", "--json"}, args...)...)
		Expect(said).To(And(HaveField("Code", 1), HaveField("Stderr", MatchRegexp("^(no runtime can be made|weaker) here.*: .*(resident|store)"))))
		Expect(json.Unmarshal([]byte(said.Stdout), &e)).To(Succeed())
		Expect(e.Holds).To(BeFalse())
		return e
	}
	// found matches a finding by its word, subject and text.
	found := func(word checkup.Word, subject, is string) OmegaMatcher {
		return ContainElement(And(HaveField("Word", word), HaveField("Subject", subject), HaveField("Is", MatchRegexp(is))))
	}

	It("makes nothing where there is no store", func() {
		e := examined()
		Expect(e).To(And(HaveField("Store", storeDir), HaveField("Mechanism", Not(BeEmpty()))))
		Expect(e.Findings).To(And(found(checkup.OK, "runtimes", "^none$"), found(checkup.Weaker, "resident", "none is to serve")))
		Expect(storeDir).NotTo(BeAnExistingFile())
	})

	It("prints text", func() {
		Expect(call("doctor").Stdout).To(And(
			MatchRegexp(`(?m)^(ok|note) +program +\S`), MatchRegexp(`(?m)^ok +runtimes +none$`),
			MatchRegexp(`(?m)^weaker +resident +none is to serve`), Not(ContainSubstring("All promises"))))
	})

	It("shows a runtime without a monitor, and leaves it as it is", func() {
		r := orphan("lost")
		before, err := os.ReadFile(filepath.Join(r.Dir(), "runtime.json"))
		Expect(err).NotTo(HaveOccurred())
		Expect(examined().Findings).To(And(found(checkup.OK, "runtimes", "^1 unmonitored$"), found(checkup.Weaker, "unmonitored", "watches lost$")))
		Expect(os.ReadFile(filepath.Join(r.Dir(), "runtime.json"))).To(Equal(before))
		Expect(os.ReadDir(storeDir)).To(HaveEach(HaveField("Name()", BeElementOf("runtimes", "trash"))))
	})

	It("shows why no runtime can be made, also where no store is known", func() {
		for name, value := range map[string]string{monitor.EnvStore: "", "XDG_STATE_HOME": "", "HOME": "relative"} {
			GinkgoT().Setenv(name, value)
		}
		e := examined()
		Expect(e.Store).To(BeEmpty())
		Expect(e.Findings).To(found(checkup.Refused, "store", "^find the user's state directory: "))
	})

	It("takes no argument", func() {
		Expect(call("doctor", "web")).To(fails(2, "^doctor takes no argument; "))
	})
})
