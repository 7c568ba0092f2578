//go:build darwin || linux

package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/monitor"
	"github.com/gemini-monitor/gemini/tracker/process"
	"github.com/gemini-monitor/gemini/tracker/trees"
)

// idle makes a durable runtime that is idle.
func idle(name string) *monitor.Runtime {
	GinkgoHelper()
	r, err := store().Create(monitor.Creation{Name: name, Command: []string{"./server"}, Durable: true})
	Expect(err).NotTo(HaveOccurred())
	record, err := r.Record()
	Expect(err).NotTo(HaveOccurred())
	record.State, record.Marks, record.IdleSince = monitor.StateIdle, nil, time.Now().UTC()
	text, err := json.Marshal(record)
	Expect(err).NotTo(HaveOccurred())
	Expect(os.WriteFile(filepath.Join(r.Dir(), "runtime.json"), text, 0o600)).To(Succeed())
	return r
}

var _ = Describe("rm", func() {
	DescribeTable("is refused with", func(code int, line string, args ...string) {
		Expect(call(append([]string{"rm"}, args...)...)).To(fails(code, line))
	},
		Entry("no name", 2, `^rm takes names of runtimes, or --all; see 'monitor help rm'$`),
		Entry("names and --all", 2, `^rm takes names or --all, not both$`, "--all", "work"),
		Entry("--all and --force", 2, `^rm --all removes what is idle; 'monitor stop --all' ends the others first$`, "-af"),
		Entry("a grace for nothing", 2, `^--grace goes with --force$`, "--grace", "1", "work"),
		Entry("a grace that is none", 2, `^--grace `, "--force", "--grace", "soon", "work"),
		Entry("a name that there is not", 1, `^runtime "work" does not exist$`, "work"),
		Entry("a name that there cannot be", 2, `^bad name "\.\.": `, ".."),
	)

	It("removes what is idle, and nothing else", func() {
		idle("work")
		create("build")
		Expect(call("rm", "work", "build", "work")).To(fails(1, `^runtime "build" is not removed: it is starting; it goes when it is empty, and 'monitor stop build' ends it$`))
		Expect(call("list", "-q")).To(Equal(outcome{Stdout: "build\n"}))
	})

	It("with --all removes all that is idle", func() {
		idle("one")
		idle("two")
		Expect(call("rm", "--all")).To(Equal(outcome{}))
		nothingLeft()
	})

	It("with --force has no error for a name that there is not", func() {
		Expect(call("rm", "--force", "work")).To(Equal(outcome{}))
	})

	DescribeTable("names the state of what stays, and what can be done", func(s monitor.Status, words string) {
		s.Name = "work"
		Expect(notRemoved(s)).To(MatchError(`runtime "work" is not removed: it is ` + words))
	},
		Entry("where it is run", monitor.Status{Record: monitor.Record{State: monitor.StateRunning, Durable: true}, Members: make([]trees.Member, 2)},
			"running with 2 members; end it first with 'monitor stop work'"),
		Entry("where it is about to be idle and cannot", monitor.Status{Record: monitor.Record{State: monitor.StateStopping, Durable: true, Reason: "disk full"}},
			"stopping: disk full"),
		Entry("where it is broken", monitor.Status{Record: monitor.Record{State: monitor.StateBroken, Reason: "version 3"}}, "broken: version 3"),
	)

	It("is completed with what is idle, and so is the name of run and shell", func() {
		idle("work")
		create("build")
		for _, words := range [][]string{{"rm", ""}, {"rm", "--force", ""}, {"run", "--name", ""}, {"shell", "--name", ""}} {
			found, then := completed(words...)
			Expect(found).To(Equal([]string{"work"}), "%v", words)
			Expect(then).To(Equal(noFiles))
		}
		found, _ := completed("rm", "work", "")
		Expect(found).To(BeEmpty())
	})
})

var _ = Describe("An idle runtime", func() {
	It("is listed, with no PID, and in the history its runs are", func() {
		idle("work")
		Expect(call("list").Stdout).To(MatchRegexp(`(?m)^work +idle +- +0 +\d+s +\./server$`))
		Expect(call("list", "--state", "idle", "-q")).To(Equal(outcome{Stdout: "work\n"}))
	})

	It("has fields of its own in JSON, and no other has them", func() {
		idle("work")
		create("build")
		var all []map[string]any
		Expect(json.Unmarshal([]byte(call("list", "--json").Stdout), &all)).To(Succeed())
		Expect(all).To(HaveLen(2))
		for _, field := range []string{"durable", "made", "idle_since"} {
			Expect(all[0]).NotTo(HaveKey(field))
			Expect(all[1]).To(HaveKey(field))
		}
		Expect(all[0]["version"]).To(BeEquivalentTo(1))
		Expect(all[1]["version"]).To(BeEquivalentTo(2))
	})

	It("has nothing to stop", func() {
		idle("work")
		Expect(call("stop", "work")).To(Equal(outcome{}))
		Expect(call("stop", "--all")).To(Equal(outcome{}))
		Expect(call("list", "-q", "--state", "idle")).To(Equal(outcome{Stdout: "work\n"}))
	})

	It("had gone before wait began", func() {
		idle("work")
		Expect(call("wait", "work")).To(fails(3, `^runtime "work" is idle since `))
	})

	It("keeps its past runs in the list of all", func() {
		status := monitor.Status{Record: monitor.Record{Name: "work", State: monitor.StateIdle, Owner: process.Identity{PID: 7, Start: 1}}}
		past := monitor.Past{Name: "work", How: monitor.CauseEnded, Owner: status.Owner, Command: []string{"true"}, Ended: time.Now()}
		text, err := json.Marshal(past)
		Expect(err).NotTo(HaveOccurred())
		Expect(store().Make()).To(Succeed())
		Expect(os.WriteFile(filepath.Join(store().Dir(), "history.jsonl"), append(text, '\n'), 0o600)).To(Succeed())
		Expect(pastOf(store(), []monitor.Status{status})).To(HaveLen(1))
		status.State = monitor.StateStopping
		Expect(pastOf(store(), []monitor.Status{status})).To(BeEmpty())
	})
})

var _ = Describe("run --durable", func() {
	It("names a runtime that has no name, because it is run again by that", func() {
		named := monitor.Creation{Name: "work", Durable: true}
		nameDurable(&named)
		Expect(named.Name).To(Equal("work"))
		other := monitor.Creation{Command: []string{"true"}}
		nameDurable(&other)
		Expect(other.Name).To(BeEmpty())
		made := start("run", "--durable", "--", "true")
		Expect(made.Stderr).To(MatchRegexp(`^monitor: durable runtime "(true-\w+)"; 'monitor run --name true-\w+' runs it again\n$`))
		Eventually(func() string { return call("list", "-q", "--state", "idle").Stdout }).Should(MatchRegexp(`^true-\w+\n$`))
	})

	It("is passed on by run --wait", func() {
		g := &global{}
		Expect(g.childArguments("monitor", store(), monitor.Creation{Name: "work", Command: []string{"true"}, Durable: true})).To(ContainElement("--durable"))
		Expect(g.childArguments("monitor", store(), monitor.Creation{Name: "work", Command: []string{"true"}})).NotTo(ContainElement("--durable"))
	})
})
