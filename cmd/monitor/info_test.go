//go:build darwin || linux

package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/monitor"
	"github.com/gemini-monitor/gemini/tracker/process"
	"github.com/gemini-monitor/gemini/tracker/trees"
)

var _ = Describe("The command info, list and tree", func() {
	It("show a runtime by name and by the process they are called in", func() {
		create("build", "make", "-j 8")
		for _, args := range [][]string{{"info"}, {"info", "build"}} {
			got := call(args...)
			Expect(got.Code).To(BeZero())
			Expect(got.Stdout).To(And(
				MatchRegexp(`(?m)^name: +build$`), MatchRegexp(`(?m)^state: +starting$`),
				MatchRegexp(`(?m)^command: +make '-j 8'$`), MatchRegexp(`(?m)^owner: +%d$`, os.Getpid()),
			))
		}
		Expect(call("list").Stdout).To(MatchRegexp(`(?m)^build +starting +%d +0 +\S+ +make '-j 8'$`, os.Getpid()))
		Expect(call("list", "-q").Stdout).To(Equal("build\n"))
	})

	It("print commands in JSON as they were typed, and so does the record", func() {
		r := create("build", "sh", "-c", "make >log && echo <done>")
		Expect(call("info", "--json").Stdout).To(ContainSubstring(`make >log && echo <done>`))
		Expect(os.ReadFile(filepath.Join(r.Dir(), "runtime.json"))).To(ContainSubstring(`make >log && echo <done>`))
	})

	It("print no mark", func() {
		const secret = "AAAAAAAAAAAAAAAAAAAAAAAAAA"
		change(create("build", "make"), func(record *monitor.Record) { record.Marks = []string{secret} })
		for _, words := range [][]string{{"info"}, {"info", "--json"}, {"list"}, {"list", "--json"}, {"tree", "build"}, {"tree", "build", "--json"}} {
			said := call(append(words, "--log-level", "debug")...)
			Expect(said.Stdout+said.Stderr).NotTo(ContainSubstring(secret), "%q", words)
		}
	})

	It("print as JSON what the library knows", func() {
		r := create("build", "make")
		entry := monitor.JournalEntry{Event: trees.Joined, Member: &trees.Member{
			Process: process.Process{Identity: self()}, Link: trees.Link{Kind: trees.LinkRoot}}}
		line, err := json.Marshal(entry)
		Expect(err).NotTo(HaveOccurred())
		Expect(os.WriteFile(filepath.Join(r.Dir(), "journal.jsonl"), append(line, '\n'), 0o600)).To(Succeed())
		survey, err := store().Survey()
		Expect(err).NotTo(HaveOccurred())
		known, err := survey.Status(r)
		Expect(err).NotTo(HaveOccurred())
		Expect(known.Members).To(HaveLen(1))

		var status monitor.Status
		Expect(json.Unmarshal([]byte(call("info", "--json").Stdout), &status)).To(Succeed())
		Expect(status.Record).To(Equal(known.Record))
		Expect(status.Members).To(HaveLen(1))
		var all []monitor.Status
		Expect(json.Unmarshal([]byte(call("list", "--json").Stdout), &all)).To(Succeed())
		Expect(all).To(HaveLen(1))
		Expect(all[0].Record).To(Equal(known.Record))
		var members []trees.Member
		Expect(json.Unmarshal([]byte(call("tree", "build", "--json").Stdout), &members)).To(Succeed())
		Expect(members).To(HaveLen(1))
		Expect(members[0].Identity).To(Equal(self()))
		Expect(call("tree").Stdout).To(HavePrefix(strconv.Itoa(os.Getpid()) + " "))
	})

	It("print an empty array where there is nothing", func() {
		Expect(call("list", "--json").Stdout).To(Equal("[]\n"))
		Expect(call("list")).To(Equal(outcome{}))
		create("build")
		Expect(call("tree", "build", "--json").Stdout).To(Equal("[]\n"))
	})

	It("print why the members are not known, and no number of them", func() {
		r := create("build")
		change(r, func(record *monitor.Record) {
			us := self()
			record.Monitor, record.State, record.Reason = &us, monitor.StateUnknown, "a process hides"
		})
		Expect(call("list").Stdout).To(MatchRegexp(`(?m)^build +unknown +\d+ +- `))
		Expect(call("info", "build").Stdout).To(And(MatchRegexp(`(?m)^reason: +a process hides$`), MatchRegexp(`(?m)^members: +-$`)))
		Expect(call("tree", "build")).To(fails(1, `^runtime "build" is unknown: a process hides$`))
	})

	It("show a broken runtime by name, with the reason", func() {
		r := create("build")
		Expect(os.WriteFile(filepath.Join(r.Dir(), "runtime.json"), []byte("?"), 0o600)).To(Succeed())
		Expect(call("list").Stdout).To(MatchRegexp(`(?m)^build +broken +- +- +- +.*broken record`))
		Expect(call("info", "build").Stdout).To(And(MatchRegexp(`(?m)^state: +broken$`), ContainSubstring("reason:")))
		Expect(call("tree", "build")).To(fails(1, `^runtime "build" has a broken record`))
	})

	It("tree draws any process, and prefers a runtime that has the number as its name", func() {
		pid := strconv.Itoa(os.Getppid())
		Expect(call("tree", pid).Stdout).To(HavePrefix(pid + " "))
		earlier := create("build") // an earlier version took such a name
		change(earlier, func(record *monitor.Record) { record.Name = pid })
		Expect(os.Rename(earlier.Dir(), filepath.Join(filepath.Dir(earlier.Dir()), pid))).To(Succeed())
		Expect(call("tree", pid, "--json").Stdout).To(Equal("[]\n"))
	})

	It("take a store from the flag before the environment", func() {
		create("build")
		Expect(call("--store", filepath.Join(storeDir, "other"), "list", "-q").Stdout).To(BeEmpty())
		Expect(call("list", "-q").Stdout).To(Equal("build\n"))
	})
})

var _ = Describe("The command", func() {
	It("explains each of its commands, with an example", func() {
		for _, name := range []string{"", "run", "shell", "info", "list", "tree", "wait", "logs", "serve", "prune"} {
			got := call(strings.Fields(name + " --help")...)
			Expect(got.Code).To(BeZero(), name)
			Expect(got.Stdout).To(And(ContainSubstring("Usage:"), ContainSubstring("Examples:"), ContainSubstring("monitor "+name)), name)
			Expect(got.Stdout).NotTo(ContainSubstring("--detach"), "internal flags are hidden")
		}
		Expect(call()).To(HaveField("Stdout", ContainSubstring("Available Commands:")))
	})
})
