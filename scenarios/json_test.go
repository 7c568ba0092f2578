//go:build darwin || linux

package scenarios_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/harness"
)

var _ = Describe("What a command prints with --json fits its schema", ours, Label("sources"), func() {
	var book schemaBook

	BeforeEach(func() { book = openSchemas() })

	// expect runs a command with --json, checks what it prints, and returns that.
	expect := func(command string, words ...string) string {
		GinkgoHelper()
		out := stage.Run(append([]string{"monitor", command, "--json"}, words...)...)
		Expect(out.Stdout).NotTo(BeEmpty(), out.Stderr)
		book.expect(command, out.Stdout)
		return out.Stdout
	}
	// doctor returns what doctor prints. On a busy machine a question of its has no answer in time, so
	// it is asked again until it has found what is expected.
	doctor := func() string { return expect("doctor") }
	// files checks the record and the journal of a runtime.
	files := func(name string) {
		GinkgoHelper()
		record, err := os.ReadFile(gemini.Path(name, "runtime.json"))
		Expect(err).NotTo(HaveOccurred())
		book.expect("record", string(record))
		journal, err := os.ReadFile(gemini.Path(name, "journal.jsonl"))
		Expect(err).NotTo(HaveOccurred())
		Expect(book.lines("journal", string(journal))).To(BeNumerically(">", 0))
	}
	// all checks all that is printed of a runtime.
	all := func(name string) (info string) {
		GinkgoHelper()
		expect("list")
		expect("why", name)
		expect("tree", name)
		files(name)
		return expect("info", name)
	}

	It("of an empty store", func() {
		Expect(expect("list")).To(Equal("[]\n"))
		Expect(expect("list", "--all")).To(Equal("[]\n"))
		Expect(expect("prune")).To(Equal("[]\n"))
	})

	It("of a running runtime with limits, orphans and a stopped member, and of a process", func(ctx SpecContext) {
		stage.Start("monitor", "run", "--name", "web", "--timeout", "1h", "--leftovers", "stop", "--wait=false",
			"--on-empty", "true", "--", "puppet", "owner")
		owner := stage.Puppet("owner")
		owner.Fork("child")
		leaf := owner.DoubleFork("leaf", harness.OwnSession)
		expectKnown(ctx, "web", leaf)
		leaf.Stop()
		Expect(fieldsOf(all("web"))).To(ContainElements("limits", "timeout", "leftovers", "on_empty", "through"))
		Expect(fieldsOf(expect("why", "web"))).To(ContainElements("arguments", "user_name", "started", "chain", "alive", "ended_by"))
		Expect(expect("tree", fmt.Sprint(owner.PID()))).To(ContainSubstring(`"kind": "root"`))
		Expect(expect("prune")).To(ContainSubstring("watched"))
		leaf.Continue()
		stop("web")
		expectEmptyStore(ctx)
		Expect(expect("list", "--all")).To(ContainSubstring(`"how": "stop"`))
		history, err := os.ReadFile(filepath.Join(gemini.Store, "history.jsonl"))
		Expect(err).NotTo(HaveOccurred())
		Expect(book.lines("history", string(history))).To(Equal(1))
	}, limit)

	It("of a runtime inside of another one, and its own", func(ctx SpecContext) {
		stage.Start(monitor.Run("outer", monitor.Run("inner", "puppet", "owner")...)...)
		owner := stage.Puppet("owner")
		all("outer")
		all("inner")
		job := stage.Start(monitor.Run("own", "monitor", "info", "--json")...)
		Expect(job.Wait()).To(Equal(harness.Status{}))
		book.expect("info", job.Output())
		owner.Exit(0)
		expectEmptyStore(ctx)
	}, limit)

	It("of a runtime that is told to stop", func(ctx SpecContext) {
		job := stage.Start(monitor.Run("deaf", "puppet", "owner")...)
		stage.Puppet("owner").Ignore(syscall.SIGTERM)
		stopping := stage.Start("monitor", "stop", "deaf", "--grace", "1h")
		Eventually(ctx, func() string { return info("deaf") }).Should(MatchRegexp(`state: +stopping`))
		Expect(fieldsOf(all("deaf"))).To(ContainElements("ending", "reason", "asked", "signal", "by", "grace"))
		stop("deaf", "--grace", "0")
		job.Wait()
		stopping.Wait()
		expectEmptyStore(ctx)
	}, limit)

	It("of a runtime whose on-empty command runs", func(ctx SpecContext) {
		bystander()
		job := stage.Start(hooked("hooked", "puppet hook")...)
		stage.Puppet("hooked").Exit(0)
		job.Wait()
		hook := stage.Puppet("hook")
		Eventually(ctx, func() string { return info("hooked") }).Should(MatchRegexp(`state: +stopping`))
		Expect(fieldsOf(all("hooked"))).To(ContainElement("on_empty_runs"))
		hook.Exit(0)
		expectOver(ctx, "hooked")
	}, limit)

	It("of an unknown runtime, with the holders of its lease", func(ctx SpecContext) {
		job := stage.Start(monitor.Run("lent", "puppet", "owner")...)
		owner := stage.Puppet("owner")
		lent := owner.Lend()
		owner.Exit(0)
		job.Wait()
		Eventually(ctx, func() string { return info("lent") }).Should(MatchRegexp(`state: +unknown`))
		all("lent")
		Expect(fieldsOf(expect("why", "lent"))).To(ContainElement(Or(Equal("holders"), Equal("holders_unknown"))))
		Eventually(ctx, doctor).Should(ContainSubstring(`"unknown"`))
		Expect(lent.Close()).To(Succeed())
		expectOver(ctx, "lent")
	}, limit)

	It("of an unmonitored runtime, which is taken over, and of one that is broken, which is left", func(ctx SpecContext) {
		alone()
		stage.Start(monitor.Run("lost", "puppet", "owner")...)
		owner := stage.Puppet("owner")
		stage.Start(monitor.Run("bad", "puppet", "other")...)
		other := stage.Puppet("other")
		end(ctx, "lost", syscall.SIGKILL)
		end(ctx, "bad", syscall.SIGKILL)
		Expect(all("lost")).To(ContainSubstring("unmonitored"))
		Expect(os.WriteFile(gemini.Path("bad", "runtime.json"), []byte("{half"), 0o600)).To(Succeed())
		Expect(expect("info", "bad")).To(ContainSubstring("broken"))
		Expect(expect("why", "bad")).To(ContainSubstring("broken"))
		expect("list")
		Eventually(ctx, doctor).Should(And(ContainSubstring(`"unmonitored"`), ContainSubstring(`"broken"`), ContainSubstring(`"holds": false`)))
		stage.Setenv("MONITOR_RESIDENT", "")
		Expect(expect("prune")).To(And(ContainSubstring("taken over"), ContainSubstring(`"left"`), ContainSubstring(`"reason"`)))
		Eventually(ctx, func() string { files("lost"); return string(journalOf("lost")) }).Should(ContainSubstring("unwatched"))
		owner.Exit(0)
		other.Exit(0)
		Eventually(ctx, monitor.List).Should(Equal([]string{"bad"}))
	}, limit)

	It("of events, also of a durable runtime that is run again", func(ctx SpecContext) {
		everything := stage.Start("monitor", "events", "--json", "--since", "1h")
		one := func(words ...string) {
			GinkgoHelper()
			run := stage.Start(append([]string{"monitor", "run", "--durable", "--name", "web", "--", "puppet"}, words...)...)
			owner := stage.Puppet(words[0])
			agent := owner.Fork("agent-of-"+words[0], harness.OwnSession)
			following := stage.Start("monitor", "events", "web", "--json", "--since", "1h")
			following.Expect("\"event\":\"state\",\"state\":\"running\"")
			everything.Expect("\"event\":\"state\",\"state\":\"running\"") // it reads the journal by now, and goes on to its end
			expectMembers(ctx, "web", owner, agent)
			Expect(stage.Run("monitor", "release", "web", strconv.Itoa(agent.PID()))).To(Equal(harness.Result{}))
			owner.Exit(0)
			Expect(run.Wait()).To(Equal(harness.Status{}))
			Expect(following.Wait()).To(Equal(harness.Status{}), following.Output())
			agent.Exit(0)
			Expect(book.lines("events", following.Output())).To(BeNumerically(">=", 6))
			Expect(following.Output()).To(HaveSuffix("\"event\":\"state\",\"state\":\"idle\"}\n"))
			Expect(kindsOf(following.Output())).To(ContainElements(
				"state starting", "joined ", "state running", "released ", "left ", "emptied ", "state idle"))
		}
		one("first")
		one("second")
		Expect(stage.Run("monitor", "rm", "web")).To(Equal(harness.Result{}))
		everything.Expect("\"removed\"")
		everything.Signal(syscall.SIGTERM)
		everything.Wait()
		book.lines("events", everything.Output())
		states := strings.Count(everything.Output(), "\"idle\"")
		Expect(states).To(Equal(2), everything.Output())
		Expect(everything.Output()).NotTo(ContainSubstring("\"gap\""))
	}, limit)

	It("of a runtime from which a process was released", func(ctx SpecContext) {
		stage.Start(monitor.Run("web", "puppet", "owner")...)
		owner := stage.Puppet("owner")
		agent := owner.Fork("agent", harness.OwnSession)
		expectMembers(ctx, "web", owner, agent)
		Expect(stage.Run("monitor", "release", "web", strconv.Itoa(agent.PID()))).To(Equal(harness.Result{}))
		Expect(all("web")).To(ContainSubstring(`"released"`))
		Expect(expect("why", "web")).To(ContainSubstring(`"released"`))
		Expect(string(journalOf("web"))).To(ContainSubstring(`"released"`))
		agent.Exit(0)
		owner.Exit(0)
		expectOver(ctx, "web")
	}, limit)

	It("of a durable runtime that a process has joined, and when it is idle", func(ctx SpecContext) {
		stage.Start("monitor", "run", "--durable", "--name", "web", "--", "puppet", "owner")
		owner := stage.Puppet("owner")
		stage.Start(joining("web", "puppet", "guest")...)
		guest := stage.Puppet("guest")
		expectMembers(ctx, "web", owner, guest)
		Expect(fieldsOf(all("web"))).To(ContainElements("durable", "made"))
		owner.Exit(0)
		guest.Exit(0)
		Eventually(ctx, func() string { return stage.Run("monitor", "list", "--state", "idle", "-q").Stdout }).Should(Equal("web\n"))
		for _, words := range [][]string{{"info", "web"}, {"why", "web"}, {"list", "--all"}, {"prune"}} {
			Expect(expect(words[0], words[1:]...)).To(ContainSubstring(`"idle"`))
		}
		record, err := os.ReadFile(gemini.Path("web", "runtime.json"))
		Expect(err).NotTo(HaveOccurred())
		book.expect("record", string(record))
		Expect(stage.Run("monitor", "rm", "web").Status).To(Equal(harness.Status{}))
	}, limit)

	It("of a doctor that finds that no runtime can be made", func() {
		Expect(os.Mkdir(gemini.Store, 0o777)).To(Succeed())
		Expect(os.Chmod(gemini.Store, 0o777)).To(Succeed()) // whatever the umask is
		Eventually(doctor).Should(ContainSubstring(`"refused"`))
		Expect(os.Remove(gemini.Store)).To(Succeed())
		Eventually(doctor).ShouldNot(ContainSubstring(`"refused"`))
	})
})

func journalOf(name string) []byte {
	text, _ := os.ReadFile(gemini.Path(name, "journal.jsonl")) // none is no text
	return text
}

// kindsOf returns what events are about, in order: the kind, and the state if it is one.
func kindsOf(lines string) (all []string) {
	GinkgoHelper()
	for line := range strings.Lines(lines) {
		var e struct{ Event, State string }
		Expect(json.Unmarshal([]byte(line), &e)).To(Succeed())
		all = append(all, e.Event+" "+e.State)
	}
	return all
}
