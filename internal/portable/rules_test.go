package portable_test

import (
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/internal/portable"
)

func TestPortable(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "Portable", Label("pure"))
}

var _ = Describe("A script for a Mac", func() {
	DescribeTable("is not to have",
		func(script, reason string) {
			Expect(portable.Shell(script)).To(ContainElement(HaveField("Reason", ContainSubstring(reason))))
		},
		Entry("a prompt before output", `PS0='begin'`, "PS0"),
		Entry("quoted values", `echo "${v@Q}"`, "@Q"),
		Entry("associative arrays", `local -A seen`, "associative"),
		Entry("a wait for any", `wait -n`, "wait -n"),
		Entry("appending of both outputs", `make &>>log`, "&>>"),
		Entry("pipes of both outputs", `make |& tee log`, "|&"),
		Entry("upper case", `echo "${v^^}"`, "case"),
		Entry("lines as an array", `mapfile -t lines`, "mapfile"),
		Entry("an array that may be empty", `rm "${files[@]}"`, "empty array"),
		Entry("echo with options", `echo -n word`, "echo"),
		Entry("editing in place", `sed -i s/a/b/ file`, "suffix"),
		Entry("dates from words", `date -d tomorrow`, "date"),
		Entry("xargs that may run nothing", `xargs -r rm`, "xargs"),
		Entry("a program of Linux", `exec setsid sh`, "does not have"),
		Entry("a program of Linux in a substitution", `n=$(nproc --all)`, "does not have"),
		Entry("the proc file system", `cat /proc/self/stat`, "/proc"),
		Entry("a job with a file in a here-document", "sh <<'END'\nread -r word <\"$GATE\" &\nEND\n", "place"),
		Entry("the same without quotes", "sh <<-END\n\tcat <file & # job\n\tEND\n", "place"),
	)

	DescribeTable("may have",
		func(script string) { Expect(portable.Shell(script)).To(BeEmpty()) },
		Entry("an array as bash 3.2 wants it", `rm ${files[@]+"${files[@]}"}`),
		Entry("a job in a here-document that opens its file itself", "sh <<END\nsh -c 'read -r word <\"$GATE\"' &\nEND\n"),
		Entry("a job with a file outside of one", "sh <<END\ntrue\nEND\ncat <file &\n"),
		Entry("a job with a duplicated descriptor", "sh <<END\ncat <&3 &\nEND\n"),
		Entry("a comment about all that", "# PS0, wait -n and &>> are not there"),
	)
})

var _ = Describe("A Makefile for a Mac", func() {
	DescribeTable("is not to have",
		func(text, reason string) {
			Expect(portable.Make(text)).To(ContainElement(HaveField("Reason", ContainSubstring(reason))))
		},
		Entry("one shell", ".ONESHELL:\n", "3.82"),
		Entry("a shell assignment", "NOW != date\n", "4.0"),
		Entry("grouped targets", "a b &: c\n", "4.3"),
		Entry("a function of later times", "\t$(file >out,$(LIST))\n", "4.0"),
		Entry("what a shell of 2007 does not know", "\t@wait -n\n", "4.3"),
	)
})
