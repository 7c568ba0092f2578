//go:build darwin || linux

package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"strconv"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// argumentsFor are arguments with which a command reaches its flags. Of a command that is not
// here, wrong arguments are as wrong as a wrong flag.
var argumentsFor = map[string][]string{
	"run": {"--", "false"}, "completion": {"bash"}, "man": {os.DevNull}, "wait": {"2147483647"}, "serve": {"none"},
}

var _ = Describe("Wrong usage", func() {
	wrong := map[string][]string{
		"a flag that does not exist":          {"--no-such-flag"},
		"a log level that does not exist":     {"--log-level", "loud"},
		"a log format that does not exist":    {"--log-format", "xml"},
		"a store without a name":              {"--store", ""},
		"a flag without its value":            {"--store"},
		"a value for a flag that takes none":  {"--no-resident=perhaps"},
		"a short flag that does not exist":    {"-Z"},
		"a flag of monitor, misspelt by much": {"--sotre=x"},
	}
	commands := newRoot().Commands()
	for _, cmd := range commands {
		code := exitUsage
		if becomes(cmd) {
			code = exitFailed
		}
		for what, words := range wrong {
			It(fmt.Sprintf("of %s, with %s, is exit code %d", cmd.Name(), what, code), func() {
				args := append([]string{cmd.Name()}, words...)
				if words[len(words)-1] != "--store" {
					args = append(args, argumentsFor[cmd.Name()]...)
				}
				Expect(call(args...)).To(fails(code, "takes |unknown |needs an argument|invalid argument"))
				nothingLeft()
			})
		}
	}

	It("is looked for in all commands", func() {
		Expect(len(commands)).To(BeNumerically(">", 10))
	})
})

var _ = Describe("The table of exit codes", func() {
	It("is the same in the README and in the help", Label("sources"), func() {
		readme, err := os.ReadFile("../../README.md")
		if errors.Is(err, fs.ErrNotExist) {
			Skip("the sources are elsewhere")
		}
		Expect(err).NotTo(HaveOccurred())
		_, section, found := strings.Cut(string(readme), "### Exit codes\n")
		Expect(found).To(BeTrue())
		section, _, _ = strings.Cut(section, "\n#")
		var documented, known []int
		for _, row := range regexp.MustCompile(`(?m)^\| (\d+) \| (.*) \|$`).FindAllStringSubmatch(section, -1) {
			code, err := strconv.Atoi(row[1])
			Expect(err).NotTo(HaveOccurred())
			documented = append(documented, code)
		}
		help := call("help").Stdout
		for _, row := range exitCodes {
			known = append(known, row.code)
			Expect(help).To(MatchRegexp(`(?m)^  %-4d %s$`, row.code, regexp.QuoteMeta(row.meaning)))
		}
		Expect(documented).To(Equal(known))
	})

	DescribeTable("is what a process ends with", func(code int, stderr string, args ...string) {
		Expect(start(args...)).To(Equal(outcome{"", stderr, code}))
	},
		Entry(nil, exitNo, "monitor: No active runtime\n", "info"),
		Entry(nil, exitUsage, "monitor: --log-level takes debug, info, warn or error, not \"loud\"\n", "--log-level", "loud", "list"),
		Entry(nil, exitFailed, "monitor: --log-level takes debug, info, warn or error, not \"loud\"\n", "--log-level", "loud", "run", "false"),
		Entry(nil, exitFailed, "monitor: unknown flag: --bogus; see 'monitor help shell'\n", "shell", "--bogus"),
		Entry(nil, exitNotExecutable, "monitor: /usr: cannot be executed: is a directory\n", "run", "/usr"),
		Entry(nil, exitNotFound, "monitor: /no/such/command: command not found\n", "run", "/no/such/command"),
	)
})
