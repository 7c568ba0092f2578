//go:build darwin || linux

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/monitor"
	"github.com/gemini-monitor/gemini/tracker/process"
)

// watchedAs gives a runtime a state, and the process that runs the specs as its monitor.
func watchedAs(r *monitor.Runtime, state monitor.State, reason string) {
	GinkgoHelper()
	us := self()
	change(r, func(record *monitor.Record) { record.State, record.Reason, record.Monitor = state, reason, &us })
}

// idOf returns the identity of a process.
func idOf(pid int) process.Identity {
	GinkgoHelper()
	row, err := process.Lookup(pid)
	Expect(err).NotTo(HaveOccurred())
	return row.Identity
}

// leaseholder starts a process that has the lease of a runtime until the spec ends.
func leaseholder(r *monitor.Runtime) int {
	GinkgoHelper()
	lease, err := os.Open(filepath.Join(r.Dir(), "lease"))
	Expect(err).NotTo(HaveOccurred())
	defer lease.Close()
	cmd := exec.Command("sh", "-c", "read -r x")
	cmd.ExtraFiles = []*os.File{lease}
	gate, err := cmd.StdinPipe()
	Expect(err).NotTo(HaveOccurred())
	Expect(cmd.Start()).To(Succeed())
	DeferCleanup(func() {
		_ = gate.Close()
		_ = cmd.Wait()
	})
	if runtime.GOOS == "darwin" { // which has no other way than lsof(8)
		dir := GinkgoT().TempDir()
		script := fmt.Sprintf("#!/bin/sh\necho p%d; echo f3; echo p%d; echo f9\n", cmd.Process.Pid, os.Getpid())
		Expect(os.WriteFile(filepath.Join(dir, "lsof"), []byte(script), 0o755)).To(Succeed())
		GinkgoT().Setenv("PATH", dir+":"+os.Getenv("PATH"))
	}
	return cmd.Process.Pid
}

var _ = Describe("The command why", func() {
	It("shows who keeps a runtime, with the chain to its command, and neither itself nor the monitor", func() {
		r := create("build", "sh")
		pid, _ := held()
		root := idOf(pid)
		leaf, _ := held()
		gone, release := held()
		middle := idOf(gone)
		release()
		Eventually(func() bool { return lives(middle) }).Should(BeFalse())
		give(r, pid)
		watchedAs(r, monitor.StateRunning, "")
		join(r, root, middle, idOf(leaf))
		join(r, self())
		Expect(call("why", "build").Stdout).To(MatchRegexp(
			`^runtime "build" is running\n`+
				`%d sh -c 'read -r x' \(\d+ s\): the command\n`+
				`%d sh -c 'read -r x' \(\d+ s\): child of %d, which was a child of %[1]d sh, the command\n`+
				`monitor stop build ends it\n$`, pid, leaf, gone))

		var w map[string]any
		Expect(json.Unmarshal([]byte(call("why", "--json", "build").Stdout), &w)).To(Succeed())
		Expect(w).To(And(HaveKeyWithValue("name", "build"), HaveKeyWithValue("state", "running"), HaveKeyWithValue("ended_by", "monitor stop build")))
		Expect(w).NotTo(Or(HaveKey("reason"), HaveKey("holders"), HaveKey("unseen"), HaveKey("holders_unknown")))
		members := w["members"].([]any)
		Expect(members).To(HaveLen(2))
		second := members[slices.IndexFunc(members, func(m any) bool { return m.(map[string]any)["pid"] == float64(leaf) })].(map[string]any)
		Expect(second["arguments"]).To(Equal([]any{"sh", "-c", "read -r x"}))
		Expect(second["chain"]).To(HaveExactElements(
			And(HaveKeyWithValue("pid", float64(gone)), HaveKeyWithValue("alive", false), Not(HaveKey("command"))),
			And(HaveKeyWithValue("pid", float64(pid)), HaveKeyWithValue("alive", true), HaveKeyWithValue("command", "sh"), HaveKeyWithValue("link", HaveKeyWithValue("kind", "root"))),
		))
	})

	It("names the store in what ends a runtime, where a flag has named it", func() {
		r := create("build", "sh")
		pid, _ := held()
		give(r, pid)
		watchedAs(r, monitor.StateRunning, "")
		join(r, idOf(pid))
		Expect(call("--store", storeDir, "why", "build").Stdout).To(HaveSuffix("monitor --store " + quote(storeDir) + " stop build ends it\n"))
	})

	It("explains the runtime that it is called in", func() {
		create("build", "sh")
		Expect(call("why").Stdout).To(Equal(fmt.Sprintf("runtime \"build\" is starting: process %d is about to become its command\n", os.Getpid())))
	})

	It("names the processes that hold the lease of one that is unknown", func() {
		r := create("build", "sh")
		watchedAs(r, monitor.StateUnknown, "a process that the process table does not show as a member holds the lease")
		holder := leaseholder(r)
		said := call("why", "build")
		Expect(said.Stdout).To(MatchRegexp(`(?m)^%d sh -c 'read -r x' \(\d+ s\): holds the lease, and no link leads from it to the runtime$`, holder))
		Expect(said.Stdout).To(HaveSuffix(fmt.Sprintf("\nit goes when process %d has ended\n", holder)))
		Expect(said.Stdout).NotTo(ContainSubstring(fmt.Sprintf("\n%d ", os.Getpid())))
		var w explanation
		Expect(json.Unmarshal([]byte(call("why", "--json", "build").Stdout), &w)).To(Succeed())
		Expect(w.Holders).To(HaveExactElements(HaveField("PID", holder)))
		Expect(w.Members).To(And(BeEmpty(), Not(BeNil())))
	})

	It("says where a broken runtime is, and which process holds its lease", func() {
		r := create("build", "sh")
		holder := leaseholder(r)
		Expect(os.WriteFile(filepath.Join(r.Dir(), "runtime.json"), []byte("?"), 0o600)).To(Succeed())
		said := call("why", "build")
		Expect(said.Stdout).To(HavePrefix(`runtime "build" is broken: runtime "build" has a broken record`))
		Expect(said.Stdout).To(And(ContainSubstring("\n%d sh ", holder), HaveSuffix("\ndelete "+quote(r.Dir())+" if it is not needed\n")))
	})
})

var _ = Describe("The command which", func() {
	It("names the runtime of a process by the files, where no resident monitor serves", func() {
		r := create("build", "sh")
		pid, release := held()
		Expect(call("which", fmt.Sprint(pid))).To(Equal(outcome{Stdout: "build\n"}), "a child of its owner")
		other, _ := held()
		give(r, other)
		Expect(call("which", fmt.Sprint(pid))).To(fails(1, fmt.Sprintf("^process %d is in no runtime$", pid)))
		Expect(call("which", fmt.Sprint(other))).To(Equal(outcome{Stdout: "build\n"}))
		ended := idOf(pid)
		release()
		Eventually(func() bool { return lives(ended) }).Should(BeFalse())
		Expect(call("which", fmt.Sprint(pid))).To(fails(1, fmt.Sprintf("^process %d does not exist$", pid)), "a zombie is dead")
	})

	It("asks the resident monitor, and the files for what has another one", func() {
		withResident()
		pid, _ := held()
		r := create("outer", "sh")
		give(r, pid)
		change(r, func(record *monitor.Record) {
			record.State, record.Monitor = monitor.StateRunning, &process.Identity{PID: pid, Start: 1, Boot: self().Boot}
		})
		Expect(call("prune")).To(Equal(outcome{Stdout: "outer: taken over\n"}))
		Expect(os.WriteFile(filepath.Join(r.Dir(), "runtime.json"), []byte("?"), 0o600)).To(Succeed())
		Expect(call("which", fmt.Sprint(pid))).To(Equal(outcome{Stdout: "outer\n"}), "which the files do not show any more")
		stranger, _ := held()
		Expect(call("which", fmt.Sprint(stranger))).To(fails(1, fmt.Sprintf("^process %d is in no runtime$", stranger)))

		inner := create("inner", "sh")
		give(inner, pid)
		watchedAs(inner, monitor.StateRunning, "")
		Expect(call("which", fmt.Sprint(pid))).To(Equal(outcome{Stdout: "inner\n"}))
	})
})
