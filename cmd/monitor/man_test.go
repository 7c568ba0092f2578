//go:build darwin || linux

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// requests are those of man(7) that the pages use.
var requests = []string{".TH ", ".SH ", ".PP", ".TP", ".nf", ".fi"}

var _ = Describe("The manual pages", func() {
	pages := func() (dir string, paths []string) {
		GinkgoHelper()
		GinkgoT().Setenv("SOURCE_DATE_EPOCH", "1790000000")
		dir = filepath.Join(GinkgoT().TempDir(), "share", "man1")
		Expect(call("man", dir)).To(Equal(outcome{}))
		paths, err := filepath.Glob(filepath.Join(dir, "*.1"))
		Expect(err).NotTo(HaveOccurred())
		return dir, paths
	}

	It("are one for the program and one for each command that is shown", func() {
		dir, paths := pages()
		expected := []string{filepath.Join(dir, "monitor.1")}
		for _, cmd := range newRoot().Commands() {
			if !cmd.Hidden && cmd.Name() != "help" {
				expected = append(expected, filepath.Join(dir, "monitor-"+cmd.Name()+".1"))
			}
		}
		Expect(paths).To(ConsistOf(expected))
	})

	It("have all that the help has, and are accepted by man and mandoc where those are installed", func() {
		_, paths := pages()
		Expect(len(paths)).To(BeNumerically(">", 10))
		for _, path := range paths {
			text, err := os.ReadFile(path)
			Expect(err).NotTo(HaveOccurred())
			Expect(string(text)).To(MatchRegexp(`^\.TH MONITOR\S* 1 "2026-09-21" "monitor .*"\n\.SH NAME\nmonitor\S* \\- \S`))
			for line := range strings.Lines(string(text)) {
				if strings.HasPrefix(line, ".") {
					Expect(requests).To(ContainElement(Satisfy(func(r string) bool { return strings.HasPrefix(line, r) })), "%s: %q", path, line)
				}
			}
			for _, section := range []string{"SYNOPSIS", "DESCRIPTION", "OPTIONS", "EXIT STATUS", "EXAMPLES", "SEE ALSO"} {
				Expect(string(text)).To(MatchRegexp(`\.SH %s\n[^\n]*\w`, section), path)
			}
			Expect(string(text)).To(And(ContainSubstring(`\fB\-h, \-\-help\fR`), ContainSubstring(`\fB\-\-store `)), path)
			accepted(path)
		}
		text, err := os.ReadFile(paths[0])
		Expect(err).NotTo(HaveOccurred())
		Expect(string(text)).NotTo(ContainSubstring("Exit codes:"), "they have a section")
	})

	It("have a date that a build can repeat", func() {
		Expect(pageDate("0")).To(Equal("1970-01-01"))
		_, err := pageDate("soon")
		Expect(err).To(MatchError(`SOURCE_DATE_EPOCH is "soon", not a number of seconds`))
		GinkgoT().Setenv("SOURCE_DATE_EPOCH", "soon")
		Expect(call("man", GinkgoT().TempDir())).To(fails(exitUsage, "SOURCE_DATE_EPOCH"))
	})

	DescribeTable("show text as it is", func(text, expected string) {
		p := &page{}
		p.text(text)
		Expect(p.String()).To(Equal(expected))
	},
		Entry("paragraphs", "a\nb\n\nc", "a\nb\n.PP\nc\n"),
		Entry("with indented lines", "states:\n  one  it is\n  two\nend", "states:\n.nf\n  one  it is\n  two\n.fi\nend\n"),
		Entry("that begins with indented lines", "  one", ".nf\n  one\n.fi\n"),
		Entry("with what roff takes for its own", ".SH 'x' \\ --a `b` ~", "\\&.SH \\(aqx\\(aq \\e \\-\\-a \\(gab\\(ga \\(ti\n"),
	)
})

// accepted expects that the programs for manual pages that are installed have nothing to say
// against a page.
func accepted(path string) {
	GinkgoHelper()
	for _, words := range [][]string{
		{"mandoc", "-T", "lint", "-W", "warning"},
		{"groff", "-man", "-T", "utf8", "-ww", "-z"},
	} {
		if _, err := exec.LookPath(words[0]); err != nil {
			continue
		}
		said, err := exec.Command(words[0], append(words[1:], path)...).CombinedOutput()
		Expect(err).NotTo(HaveOccurred(), "%s: %s", words[0], said)
		Expect(string(said)).To(BeEmpty(), words[0])
	}
}
