//go:build darwin || linux

package monitor_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/monitor"
	"github.com/gemini-monitor/gemini/tracker"
	"github.com/gemini-monitor/gemini/tracker/process"
	"github.com/gemini-monitor/gemini/tracker/trees"
)

var _ = Describe("A monitor that is stopped", func() {
	var store *monitor.Store

	BeforeEach(func() { store = newStore() })

	It("leaves processes and runtime as they are, and the next one goes on", func() {
		g := newGate()
		owner := start("read -r x <&3", through(g)...)
		runtime := own(store, "build", owner.Identity)
		first := watched(runtime)
		Eventually(entries).WithArguments(runtime).Should(HaveLen(1))
		record, err := runtime.Record()
		Expect(err).NotTo(HaveOccurred())
		first.stop()
		Expect(first.ends()).To(And(MatchError(context.Canceled), MatchError(ContainSubstring(`runtime "build" is left as it is`))))
		Expect(runtime.Record()).To(Equal(record))
		Expect(entries(runtime)).To(HaveLen(1))
		Expect(process.Lookup(owner.PID)).To(HaveField("State", process.Running))
		second := watched(runtime)
		g.open()
		Expect(second.ends()).To(Succeed())
		nothingLeft(store)
	})

	It("leaves a journal with all that it knows, also what it has not taken yet", func() {
		forksGate, childsGate := newGate(), newGate()
		named := filepath.Join(GinkgoT().TempDir(), "child")
		owner := start("read -r x <&3; { read -r x <&5; } & echo $! >"+named+"; read -r x <&5", through(forksGate, childsGate)...)
		runtime := own(store, "build", owner.Identity)
		t, err := tracker.New(tracker.Options{})
		Expect(err).NotTo(HaveOccurred())
		defer t.Close()
		watching, err := runtime.Attach(context.Background(), t, monitor.Options{})
		Expect(err).NotTo(HaveOccurred())
		forksGate.open()
		var child int
		Eventually(func(g Gomega) {
			text, err := os.ReadFile(named)
			g.Expect(err).NotTo(HaveOccurred())
			child, err = strconv.Atoi(strings.TrimSpace(string(text)))
			g.Expect(err).NotTo(HaveOccurred())
			_, knows := t.TreeOf(child)
			g.Expect(knows).To(BeTrue())
		}).Should(Succeed())
		ended, cancel := context.WithCancel(context.Background())
		cancel()
		Expect(watching.Run(ended)).To(MatchError(context.Canceled))
		Expect(entries(runtime)).To(ContainElement(And(HaveField("Event", trees.Joined), HaveField("Member.PID", child))))
	})

	It("before it has begun leaves the runtime as it is", func() {
		runtime := own(store, "build", dead())
		ended, cancel := context.WithCancel(context.Background())
		cancel()
		t, err := tracker.New(tracker.Options{})
		Expect(err).NotTo(HaveOccurred())
		defer t.Close()
		_, err = runtime.Attach(ended, t, monitor.Options{})
		Expect(err).To(MatchError(context.Canceled))
		Expect(runtime.Record()).To(HaveField("State", monitor.StateStarting))
	})
})

var _ = Describe("A monitor that comes after another", func() {
	var store *monitor.Store

	BeforeEach(func() { store = newStore() })

	// Each job gets a group of its own. dash would want a terminal for that.
	const inGroups = "exec bash -c 'set -m; "

	BeforeEach(func() {
		if _, err := exec.LookPath("bash"); err != nil {
			Skip("bash is not installed")
		}
	})

	It("goes on with the orphans of an owner that died meanwhile", func() {
		ownersGate, orphansGate := newGate(), newGate()
		owner := start("read -r x <&5 & read -r x <&3", through(ownersGate, orphansGate)...)
		runtime := own(store, "build", owner.Identity)
		first := watched(runtime)
		Eventually(entries).WithArguments(runtime).Should(HaveLen(2))
		first.leaves()
		owner.kill()
		second := watched(runtime)
		Expect(members(store, "build")()).To(HaveLen(1))
		all := entries(runtime)
		Expect(all).To(HaveLen(4), "the gap and the owner's end are written now, and no process joins twice: %v", all)
		Expect(all[2]).To(HaveField("Event", monitor.Unwatched))
		const tick = 20 * time.Millisecond // the clock of a file system is behind by one
		Expect(*all[2].Since).To(And(BeTemporally(">=", all[1].Time.Add(-tick)), BeTemporally("<=", all[2].Time)))
		Expect(all[3]).To(And(HaveField("Event", trees.Left), HaveField("Member.Identity", owner.Identity)))
		status, err := statusOf(store, "build")
		Expect(err).NotTo(HaveOccurred())
		Expect(status.Members[0].Link).To(Equal(trees.Link{Kind: trees.LinkParent, Through: owner.Identity}), "the first link stays")
		orphansGate.open()
		Expect(second.ends()).To(Succeed())
		nothingLeft(store)
	})

	It("finds an orphan in the group of a member that died meanwhile", func() {
		middlesGate, orphansGate := newGate(), newGate()
		owner := start(inGroups+"(read -r y <&3; read -r x <&5 & exit) & read -r x <&5'", through(middlesGate, orphansGate)...)
		runtime := own(store, "build", owner.Identity)
		first := watched(runtime)
		Eventually(entries).WithArguments(runtime).Should(HaveLen(2))
		middle := childOf(runtime, owner.Identity)
		first.leaves()
		middlesGate.open()
		Eventually(lives).WithArguments(middle).Should(BeFalse())
		owner.kill()
		second := watched(runtime)
		Eventually(members(store, "build")).Should(HaveLen(1))
		orphansGate.open()
		Expect(second.ends()).To(Succeed())
		nothingLeft(store)
	})

	It("finds an orphan in a group whose leader died before that", func() {
		leadersGate, middlesGate, orphansGate := newGate(), newGate(), newGate()
		owner := start(inGroups+"((read -r y <&5; read -r x <&7 & exit) & read -r y <&3) & read -r x <&7'",
			through(leadersGate, middlesGate, orphansGate)...)
		runtime := own(store, "build", owner.Identity)
		first := watched(runtime)
		Eventually(entries).WithArguments(runtime).Should(HaveLen(3))
		leadersGate.open()
		Eventually(members(store, "build")).Should(HaveLen(2))
		first.leaves()
		middlesGate.open()
		middle := childOf(runtime, childOf(runtime, owner.Identity))
		Eventually(lives).WithArguments(middle).Should(BeFalse())
		owner.kill()
		second := watched(runtime)
		Eventually(members(store, "build")).Should(HaveLen(1))
		orphansGate.open()
		Expect(second.ends()).To(Succeed())
		nothingLeft(store)
	})

	It("removes the runtime when no process is left", func() {
		g := newGate()
		owner := start("read -r x <&3", through(g)...)
		runtime := own(store, "build", owner.Identity)
		first := watched(runtime)
		first.leaves()
		g.open()
		owner.wait()
		Expect(watch(runtime).ends()).To(Succeed())
		nothingLeft(store)
	})

	It("records running where the earlier one recorded unknown", func() {
		runtime := own(store, "build", start("read -r x <&3", through(newGate())...).Identity)
		change(runtime, func(r *monitor.Record) { r.State, r.Reason = monitor.StateUnknown, "of old" })
		watched(runtime)
		Expect(runtime.Record()).To(And(HaveField("State", monitor.StateRunning), HaveField("Reason", "")))
	})
})
