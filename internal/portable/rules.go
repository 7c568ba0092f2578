// Package portable finds in scripts and Makefiles what fails on a Mac. A Mac's bash and sh
// are bash 3.2 of 2007, its make is GNU make 3.81 of 2006, and its other tools are BSD's.
package portable

import (
	"fmt"
	"regexp"
	"strings"
)

// A Finding is one line that fails on a Mac, or works differently there.
type Finding struct {
	Line   int // from 1
	Text   string
	Reason string
}

func (f Finding) String() string {
	return fmt.Sprintf("line %d: %s: %s", f.Line, strings.TrimSpace(f.Text), f.Reason)
}

// A rule is a pattern and the reason why a line with it is wrong.
type rule struct {
	pattern *regexp.Regexp
	reason  string
}

func rules(pairs ...string) (all []rule) {
	for i := 0; i < len(pairs); i += 2 {
		all = append(all, rule{regexp.MustCompile(pairs[i]), pairs[i+1]})
	}
	return all
}

// shellRules are about the language (bash's NEWS and CHANGES have the versions) and about
// the tools (the manual pages of FreeBSD and macOS).
var shellRules = rules(
	`\bPS0\b`, "bash 3.2 has no PS0 (4.4)",
	`\$\{\w+(\[[@*]\])?@[A-Za-z]\}`, "bash 3.2 has no ${v@Q} (4.4)",
	`\b(declare|local|typeset) -\w*A`, "bash 3.2 has no associative arrays (4.0)",
	`\b(declare|local|typeset) -\w*n\b`, "bash 3.2 has no name references (4.3)",
	`\bwait -[np]`, "bash 3.2 has no wait -n (4.3)",
	`&>>`, "bash 3.2 has no &>> (4.0)",
	`\|&`, "bash 3.2 has no |& (4.0)",
	`;;?&(\s|$)`, "bash 3.2 has no ;& and ;;& (4.0)",
	`\$\{\w+(\^|,)`, "bash 3.2 cannot change the case of a value (4.0)",
	`\$\{\w+\[-`, "bash 3.2 does not count array elements from the end (4.3)",
	`\b(mapfile|readarray|coproc)\b`, "bash 3.2 has no mapfile, readarray or coproc (4.0)",
	`\b(BASHPID|EPOCHSECONDS|EPOCHREALTIME|SRANDOM)\b`, "bash 3.2 has no such variable (4.0, 5.0)",
	`%\([^)]*\)T`, "the printf of bash 3.2 prints no dates (4.2)",
	`\bshopt -s (globstar|lastpipe|autocd|inherit_errexit)`, "bash 3.2 has no such option (4.0, 4.2)",
	`\[\[? -[vR] `, "bash 3.2 has no test -v (4.2)",
	`(^|[^+"])"\$\{\w+\[@\]\}"`, `with set -u an empty array is an unset variable to bash 3.2 (4.4): ${a[@]+"${a[@]}"}`,
	`\becho -[en]`, "the echo of macOS' sh prints its options",

	`\bsed -i(\s|$)`, "BSD's sed -i takes a suffix",
	`\bsed -r\b`, "BSD's older sed has -E, not -r",
	`\bsed --`, "BSD's sed has no long options",
	`\bgrep -\w*P`, "BSD's grep has no -P",
	`\bdate (-d|--)`, "BSD's date has no -d",
	`\bdate .*%N`, "BSD's date has no nanoseconds",
	`\bstat -c`, "BSD's stat has -f for a format",
	`\bxargs (-\w*[rd]\b|--)`, "BSD's xargs has no -r or -d",
	`\bmktemp (-p|--)`, "BSD's mktemp has no -p (before macOS 13)",
	`\bhead -n ?-`, "BSD's head does not count from the end",
	`\bbase64 -w`, "BSD's base64 has no -w",
	`\bfind .*-(printf|executable)\b`, "BSD's find has no -printf",
	`\bps --`, "BSD's ps has no long options",
	`(^|[;&|(]|\bexec|\$\() *(setsid|timeout|nproc|tac|pidof|unshare|nsenter|setpriv|flock|realpath)\s`, "macOS does not have this program",
	`/proc/`, "macOS has no /proc",
)

// makeRules are about the language of the Makefile (GNU make's NEWS).
var makeRules = rules(
	`^\.ONESHELL|^\.RECIPEPREFIX|^undefine\b|^private\b`, "make 3.81 does not know this (3.82)",
	`^\w+ *(!=|::=|:::=)`, "make 3.81 has no != and ::= (4.0)",
	`^define \S+ *[:+?]?=`, "make 3.81 takes no = behind define (3.82)",
	`\$\((file|guile|let|intcmp) `, "make 3.81 has no such function (4.0, 4.4)",
	`^[^#\t]*&:`, "make 3.81 has no grouped targets (4.3)",
	`\s--output-sync|\s-O\b|\s--shuffle`, "make 3.81 has no such option (4.0, 4.4)",
)

// Shell returns the lines of a script that fail with bash 3.2 or BSD's tools.
func Shell(text string) []Finding {
	return append(apply(shellRules, text), lostPlaces(text)...)
}

// Make returns the lines of a Makefile that fail with make 3.81, bash 3.2 or BSD's tools.
func Make(text string) []Finding {
	text = strings.ReplaceAll(text, "$$", "$")
	return append(apply(makeRules, text), Shell(text)...)
}

func apply(all []rule, text string) (found []Finding) {
	number := 0
	for line := range strings.Lines(text) {
		number++
		if strings.HasPrefix(strings.TrimSpace(line), "#") {
			continue
		}
		for _, r := range all {
			if r.pattern.MatchString(line) {
				found = append(found, Finding{number, line, r.reason})
			}
		}
	}
	return found
}

var (
	hereDocument = regexp.MustCompile(`(?:^|[^<])<<-?\s*\\?['"]?(\w+)`)
	quoted       = regexp.MustCompile(`'[^']*'|"[^"]*"`)
	background   = regexp.MustCompile(`(^|[^<&])<[^<&(]*&\s*(#.*)?$`)
)

// lostPlaces returns the commands in a here-document that take their input from a file
// and run in the background. Bash 3.2 keeps a here-document in a file. The child of such
// a command seeks in that file. It shares the offset with the shell, which then reads its
// next command at the wrong place.
func lostPlaces(text string) (found []Finding) {
	end, number := "", 0
	for line := range strings.Lines(text) {
		number++
		switch bare := strings.TrimSpace(line); {
		case end == "":
			if match := hereDocument.FindStringSubmatch(line); match != nil {
				end = match[1]
			}
		case bare == end:
			end = ""
		case background.MatchString(quoted.ReplaceAllString(bare, "")):
			found = append(found, Finding{number, line, "bash 3.2 loses its place in the here-document: open the file in the command itself"})
		}
	}
	return found
}
