//go:build darwin || linux

package monitor_test

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/monitor"
)

var _ = Describe("The on-empty command of a runtime", func() {
	var store *monitor.Store
	var says slate
	var g *gate

	BeforeEach(func() {
		store = newStore()
		says = newSlate()
		g = newGate()
	})

	// hooked is a runtime with an on-empty command, whose owner waits at the gate. The command
	// gets the slate as descriptor 0.
	hooked := func(script string, edit ...func(*monitor.Hook)) *monitor.Runtime {
		GinkgoHelper()
		owner := start("read -r x <&3", through(g)...)
		hook := &monitor.Hook{
			Command:     []string{"/bin/sh", "-c", script},
			Environment: []string{"SLATE=" + says.Name(), "PATH=" + os.Getenv("PATH"), "GREETING=hello", "MONITOR_RUNTIME=outer", "MONITOR_MARK=ABCDEFGHIJKLMNOPQRSTUVWXYZ"},
			Directory:   GinkgoT().TempDir(),
		}
		for _, change := range edit {
			change(hook)
		}
		r, err := store.Create(monitor.Creation{Name: "build", Owner: owner.Identity, Command: []string{"sh"}, OnEmpty: hook})
		Expect(err).NotTo(HaveOccurred())
		return r
	}

	It("runs once when the last process has gone, and then the runtime is removed", func() {
		r := hooked(`ls -d "$MONITOR_RUNTIME_DIR" >/dev/null && echo ran >>"$SLATE"`)
		w := watched(r)
		Expect(says.words()).To(BeEmpty())
		g.open()
		Expect(w.ends()).To(Succeed())
		Expect(says.words()).To(Equal([]string{"ran"}))
		nothingLeft(store)
	})

	It("has the environment and directory that were recorded, and those of its runtime", func() {
		var where string
		r := hooked(`echo "$GREETING" "$MONITOR_RUNTIME" "<$MONITOR_MARK>" "$MONITOR_ENDED_BY" "$MONITOR_REPEATED" "$PWD" >>"$SLATE"`, func(h *monitor.Hook) {
			where = h.Directory
		})
		w := watched(r)
		g.open()
		Expect(w.ends()).To(Succeed())
		where, err := filepath.EvalSymlinks(where)
		Expect(err).NotTo(HaveOccurred())
		Expect(says.words()).To(Equal([]string{"hello", "build", "<>", "ended", "0", where}))
	})

	It("is told that the runtime was stopped", func() {
		w := watched(hooked(`echo "$MONITOR_ENDED_BY" >>"$SLATE"`))
		Expect(w.stops(syscall.SIGTERM, long).returns()).To(Equal(monitor.Remainder{}))
		Expect(says.words()).To(Equal([]string{"stop"}))
	})

	It("keeps the runtime as stopping where it fails, with the reason, and its output is in the log", func() {
		r := hooked(`echo trouble; exit 7`)
		w := watched(r)
		g.open()
		Eventually(r.Record).Should(And(
			HaveField("State", monitor.StateStopping),
			HaveField("Reason", ContainSubstring("on-empty command has failed and is tried again: exit status 7")),
			HaveField("OnEmptyRuns", 1),
		))
		Expect(w.log()).To(ContainSubstring("text=trouble"))
		Expect(r.Root()).To(BeADirectory())
		w.leaves()
	})

	It("is repeated by the next monitor, which says so, where the first did not see its end", func() {
		r := hooked(`echo "$MONITOR_REPEATED" >>"$SLATE"; [ "$MONITOR_REPEATED" = 1 ] || exec sleep 1000`)
		first := watched(r)
		g.open()
		Eventually(says.words).Should(Equal([]string{"0"}))
		first.leaves()
		second := watched(r)
		Expect(second.ends()).To(Succeed())
		Expect(says.words()).To(Equal([]string{"0", "1"}))
		nothingLeft(store)
	})

	It("is killed with what it started when it takes longer than it may", func() {
		r := hooked(`echo $$ >>"$SLATE"; sleep 1000`, func(h *monitor.Hook) { h.Limit = monitor.Seconds(time.Second / 2) })
		w := watched(r)
		g.open()
		Eventually(r.Record).Should(HaveField("Reason", ContainSubstring("it took longer than 500ms")))
		var pid int
		Eventually(firstPID).WithArguments(says, &pid).Should(Equal(1), "a shell that was killed before it said that is repeated")
		Eventually(func() error { return syscall.Kill(-pid, 0) }).Should(MatchError(syscall.ESRCH))
		w.leaves()
	})

	It("is given up where it fails, and the runtime is removed without it", func(ctx SpecContext) {
		r := hooked(`echo ran >>"$SLATE"; exit 7`)
		w := watched(r)
		g.open()
		Eventually(r.Record).Should(HaveField("Reason", ContainSubstring("exit status 7")))
		Expect(w.attached.ForgoOnEmpty(ctx)).To(Succeed())
		Expect(w.ends()).To(Succeed())
		Expect(says.words()).To(Equal([]string{"ran"}))
		Expect(w.log()).To(ContainSubstring("the on-empty command is given up"))
		nothingLeft(store)
		Expect(w.attached.ForgoOnEmpty(ctx)).To(MatchError(monitor.ErrUnwatched))
	})

	It("is killed with what it started when it is given up", func(ctx SpecContext) {
		r := hooked(`echo $$ >>"$SLATE"; sleep 1000`)
		w := watched(r)
		g.open()
		var pid int
		Eventually(firstPID).WithArguments(says, &pid).Should(Equal(1))
		Expect(w.attached.ForgoOnEmpty(ctx)).To(Succeed())
		Expect(w.ends()).To(Succeed())
		Eventually(func() error { return syscall.Kill(-pid, 0) }).Should(MatchError(syscall.ESRCH))
		nothingLeft(store)
	})

	It("is given up while members live, and does not run then, by the next monitor neither", func(ctx SpecContext) {
		r := hooked(`echo ran >>"$SLATE"`)
		w := watched(r)
		Expect(w.attached.ForgoOnEmpty(ctx)).To(Succeed())
		Expect(r.Record()).To(And(HaveField("OnEmpty", BeEmpty()), HaveField("State", monitor.StateRunning)))
		w.leaves()
		next := watched(r)
		g.open()
		Expect(next.ends()).To(Succeed())
		Expect(says.words()).To(BeEmpty())
		nothingLeft(store)
	})

	It("may leave a process behind, which does not count", func() {
		r := hooked(`(exec 3<"$SLATE.gate"; read -r x <&3) & echo ran >>"$SLATE"`)
		Expect(syscall.Mkfifo(says.Name()+".gate", 0o600)).To(Succeed())
		w := watched(r)
		g.open()
		Expect(w.ends()).To(Succeed())
		Expect(says.words()).To(Equal([]string{"ran"}))
		nothingLeft(store)
		gate, err := os.OpenFile(says.Name()+".gate", os.O_WRONLY, 0) // which lets the process go
		Expect(err).NotTo(HaveOccurred())
		Expect(gate.Close()).To(Succeed())
	})

	It("is no reason to remove a runtime by its name before it has run", func() {
		r := hooked(`echo ran >>"$SLATE"`)
		w := watched(r)
		w.leaves()
		gone := dead()
		change(r, func(record *monitor.Record) { record.Monitor = &gone })
		g.open()
		Eventually(func() error {
			_, err := store.Create(mine("build", nil))
			return err
		}).Should(And(MatchError(monitor.ErrExist), MatchError(ContainSubstring("its on-empty command has not ended"))))
		Expect(says.words()).To(BeEmpty())
	})
})

// firstPID reads the first PID on a slate, and returns how many it has read.
func firstPID(says slate, pid *int) (int, error) {
	pids, err := says.words()
	if err != nil || len(pids) == 0 {
		return 0, err
	}
	return fmt.Sscan(pids[0], pid)
}
