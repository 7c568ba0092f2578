//go:build darwin || linux

package main

import (
	"encoding/json"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gbytes"

	"github.com/gemini-monitor/gemini/monitor"
	"github.com/gemini-monitor/gemini/monitor/resident"
	"github.com/gemini-monitor/gemini/tracker/process"
)

// withResident lets the commands of the spec use a resident monitor. It is ended with the
// spec, and its guard.
func withResident() {
	GinkgoHelper()
	GinkgoT().Setenv(envResident, "")
	Expect(os.Unsetenv(envResident)).To(Succeed())
	GinkgoT().Setenv(envIdle, "10s")
	DeferCleanup(endResident)
}

// pairOf returns a resident and the guard that it has started.
func pairOf(id process.Identity) (pair []process.Identity) {
	GinkgoHelper()
	Eventually(func() bool {
		pair = append(childrenOf(id.PID), id)
		return len(pair) > 1 || !lives(id)
	}).Should(BeTrue())
	return pair
}

// endResident ends the resident and its guard, in good order.
func endResident() {
	GinkgoHelper()
	card, err := resident.ReadCard(store())
	if err != nil || card.Process == self() {
		return // there was none, or it was this process
	}
	pair := pairOf(card.Process)
	_ = card.Process.Signal(syscall.SIGTERM)
	for _, id := range pair {
		Eventually(lives).WithArguments(id).Should(BeFalse())
	}
}

func lives(id process.Identity) bool {
	row, err := process.Lookup(id.PID)
	return err == nil && row.Identity == id && row.State != process.Zombie
}

func childrenOf(pid int) (children []process.Identity) {
	GinkgoHelper()
	rows, err := process.Table()
	Expect(err).NotTo(HaveOccurred())
	for _, row := range rows {
		if row.Parent == pid {
			children = append(children, row.Identity)
		}
	}
	return children
}

// orphan makes a runtime whose monitor has died. Its one process lives until the spec ends.
func orphan(name string) *monitor.Runtime {
	GinkgoHelper()
	r, _ := mortalOrphan(name)
	return r
}

// mortalOrphan is orphan with a function that ends the process.
func mortalOrphan(name string) (r *monitor.Runtime, release func()) {
	GinkgoHelper()
	pid, release := held()
	r = create(name, "sh")
	give(r, pid)
	change(r, func(record *monitor.Record) {
		record.State, record.Monitor = monitor.StateRunning, &process.Identity{PID: pid, Start: 1, Boot: self().Boot}
	})
	return r, release
}

// watchedBy matches the record of a runtime that a monitor watches.
func watchedBy(id process.Identity) OmegaMatcher {
	return And(HaveField("State", monitor.StateRunning), HaveField("Monitor", HaveValue(Equal(id))))
}

func card() resident.Card {
	GinkgoHelper()
	c, err := resident.ReadCard(store())
	Expect(err).NotTo(HaveOccurred())
	return c
}

var _ = Describe("The command prune", func() {
	BeforeEach(withResident)

	It("has what has no monitor taken over, and prints what became of it", func() {
		r := orphan("web")
		change(orphan("over"), func(record *monitor.Record) { record.Owner = process.Identity{PID: 1, Start: 1, Boot: self().Boot} })
		Expect(call("prune")).To(Equal(outcome{Stdout: "over: taken over\nweb: taken over\n"}))
		Expect(r.Record()).To(watchedBy(card().Process))
		Eventually(store().Names).Should(Equal([]string{"web"}))
		Expect(call("prune")).To(Equal(outcome{Stdout: "web: watched\n"}))
	})

	It("exits with 1 where one is left, with the reason", func() {
		orphan("web")
		create("begins") // of this process, which lives
		broken := orphan("broken")
		Expect(os.WriteFile(filepath.Join(broken.Dir(), "runtime.json"), []byte("{"), 0o600)).To(Succeed())
		said := call("prune")
		Expect(said.Code).To(Equal(1))
		Expect(said.Stdout).To(MatchRegexp(`^begins: starting\nbroken: left: [^\n]+\nweb: taken over\n$`))
		Expect(said.Stderr).To(Equal("1 of 3 runtimes stay without a monitor"))

		said = call("prune", "--json")
		Expect(said.Code).To(Equal(1))
		var found []resident.Finding
		Expect(json.Unmarshal([]byte(said.Stdout), &found)).To(Succeed())
		Expect(found).To(HaveExactElements(
			resident.Finding{Name: "begins", Outcome: resident.Begins},
			And(HaveField("Name", "broken"), HaveField("Outcome", resident.Left), HaveField("Reason", Not(BeEmpty()))),
			resident.Finding{Name: "web", Outcome: resident.Watched},
		))
	})

	It("finds nothing where there is nothing, and makes nothing", func() {
		Expect(call("prune")).To(Equal(outcome{}))
		Expect(call("prune", "--json")).To(Equal(outcome{Stdout: "[]\n"}))
		Expect(storeDir).NotTo(BeAnExistingFile())
		Expect(store().Make()).To(Succeed())
		Expect(call("prune", "--json")).To(Equal(outcome{Stdout: "[]\n"}))
	})

	It("needs the resident", func() {
		orphan("web")
		Expect(call("prune", "--no-resident")).To(fails(1, "prune needs the resident monitor"))
		GinkgoT().Setenv(envResident, "no")
		Expect(call("prune")).To(fails(1, "prune needs the resident monitor"))
		Expect(call("prune", "web")).To(fails(2, "prune takes no argument"))
	})
})

var _ = Describe("A command that meets a runtime without a monitor", func() {
	BeforeEach(withResident)

	DescribeTable("has it taken over, and shows it as it is then", func(shown string, args ...string) {
		r := orphan("web")
		// It waits for that for 2 s. On a busy machine it may be later.
		Eventually(func() outcome { return call(args...) }).Should(And(HaveField("Code", 0), HaveField("Stdout", ContainSubstring(shown))))
		Expect(r.Record()).To(watchedBy(card().Process))
	},
		Entry("list", "running", "list"),
		Entry("list in JSON", `"state": "running"`, "list", "--json"),
		Entry("info", "running", "info", "web"),
		Entry("info in JSON", `"state": "running"`, "info", "--json", "web"),
	)

	It("has it taken over though it is refused its name", func() {
		r := orphan("web")
		Expect(call("run", "--name", "web", "--", "true")).To(fails(125, "exists already"))
		Eventually(func() outcome { return call("list", "--no-resident") }).Should(HaveField("Stdout", ContainSubstring("running"))) // which asks for nothing
		Expect(r.Record()).To(watchedBy(card().Process))
	})

	DescribeTable("shows it as it is where there is to be no resident", func(args ...string) {
		orphan("web")
		Expect(call(append(args, "--no-resident")...)).To(HaveField("Stdout", ContainSubstring("unmonitored")))
		GinkgoT().Setenv(envResident, "no")
		Expect(call(args...)).To(HaveField("Stdout", ContainSubstring("unmonitored")))
		_, err := resident.ReadCard(store())
		Expect(err).To(MatchError(os.ErrNotExist))
	},
		Entry("list", "list"),
		Entry("info", "info", "web"),
	)

	It("starts nothing where all is well", func() {
		create("begins")
		Expect(call("list")).To(HaveField("Stdout", ContainSubstring("starting")))
		Expect(call("info", "begins")).To(HaveField("Stdout", ContainSubstring("starting")))
		_, err := resident.ReadCard(store())
		Expect(err).To(MatchError(os.ErrNotExist))
	})
})

var _ = Describe("The environment of a resident", func() {
	BeforeEach(withResident)

	DescribeTable("is refused with an idle time that is none", func(idle string) {
		GinkgoT().Setenv(envIdle, idle)
		orphan("web")
		Expect(call("prune")).To(fails(2, `^MONITOR_IDLE takes a time such as 10s, not "`+idle+`"$`))
		Expect(call("run", "--", "false")).To(fails(125, `^MONITOR_IDLE takes a time such as 10s, not "`+idle+`"$`))
		Expect(call("list")).To(And(HaveField("Code", 0), HaveField("Stdout", ContainSubstring("unmonitored"))), "a list is a list")
	},
		Entry("a word", "soon"),
		Entry("a number", "10"),
		Entry("a negative one", "-1s"),
	)

	It("has it end that soon", func() {
		GinkgoT().Setenv(envIdle, "1ms")
		_, release := mortalOrphan("web")
		Expect(call("prune")).To(Equal(outcome{Stdout: "web: taken over\n"}))
		pair := pairOf(card().Process)
		Expect(pair).To(HaveLen(2))
		release()
		for _, id := range pair {
			Eventually(lives).WithArguments(id).Should(BeFalse())
		}
		Expect(store().Names()).To(BeEmpty())
		Expect(filepath.Join(storeDir, "resident.sock")).NotTo(BeAnExistingFile())
	})
})

var _ = Describe("The command serve without a name", func() {
	BeforeEach(withResident)

	DescribeTable("leaves everything as it is on a signal, and exits with 0", func(told syscall.Signal) {
		r := orphan("web")
		cmd := command("serve")
		log := gbytes.NewBuffer()
		cmd.Stderr = log
		heard := make(chan os.Signal, 1)
		signal.Notify(heard, told) // else the child ignores what the caller of the specs ignores
		err := cmd.Start()
		signal.Stop(heard)
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(func() { _ = cmd.Process.Kill() })
		Eventually(log).Should(gbytes.Say("msg=serving"))
		Eventually(log).Should(gbytes.Say("took over a runtime"))
		by := card().Process
		Expect(by.PID).To(Equal(cmd.Process.Pid), "in the foreground")
		Expect(childrenOf(by.PID)).To(BeEmpty(), "without a guard")
		Expect(r.Record()).To(watchedBy(by))
		Expect(call("serve")).To(fails(1, `^another resident monitor serves the store$`))
		Expect(cmd.Process.Signal(told)).To(Succeed())
		Expect(cmd.Wait()).To(Succeed())
		Expect(log).To(gbytes.Say("stopped; the runtimes stay"))
		Expect(r.Record()).To(watchedBy(by))
		GinkgoT().Setenv(envResident, "no")
		Expect(call("list")).To(HaveField("Stdout", ContainSubstring("unmonitored")))
	},
		Entry("TERM", syscall.SIGTERM),
		Entry("INT", syscall.SIGINT),
		Entry("QUIT", syscall.SIGQUIT),
		Entry("HUP", syscall.SIGHUP),
	)

	It("makes the store, and ends when it has had nothing to watch for a while", func() {
		Expect(call("serve", "--idle", "1ms")).To(Equal(outcome{}))
		Expect(card().Process).To(Equal(self()))
		nothingLeft()
	})

	It("refuses an idle time that is none", func() {
		Expect(call("serve", "--idle", "-5s")).To(fails(2, "--idle takes a time such as 10s, not -5s"))
		Expect(call("serve", "--idle", "soon")).To(fails(2, "idle"))
	})
})
