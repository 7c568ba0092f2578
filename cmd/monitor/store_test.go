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

var storeDir string // another one for each spec

// The environment of the specs does not reach the command.
var _ = BeforeEach(func() {
	dir, err := os.MkdirTemp("", "store-")
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func() { // a monitor writes the history when the runtime has gone
		Eventually(os.RemoveAll).WithArguments(dir).Should(Succeed())
	})
	storeDir = filepath.Join(dir, "store")
	GinkgoT().Setenv(monitor.EnvStore, storeDir)
	GinkgoT().Setenv(monitor.EnvRuntime, "")
	GinkgoT().Setenv("SHELL", "/bin/sh")
	GinkgoT().Setenv("PATH", "/usr/bin:/bin") // without directories that only another user may enter
})

// store opens the store.
func store() *monitor.Store {
	GinkgoHelper()
	s, err := monitor.Open(storeDir)
	Expect(err).NotTo(HaveOccurred())
	return s
}

// create makes a runtime without a monitor.
func create(name string, words ...string) *monitor.Runtime {
	GinkgoHelper()
	r, err := store().Create(monitor.Creation{Name: name, Command: words})
	Expect(err).NotTo(HaveOccurred())
	return r
}

// nothingLeft expects a store without any trace of a runtime.
func nothingLeft() {
	GinkgoHelper()
	for _, sub := range []string{"runtimes", "trash"} {
		entries, err := os.ReadDir(filepath.Join(storeDir, sub))
		Expect(err).To(Or(Not(HaveOccurred()), MatchError(os.ErrNotExist)))
		Expect(entries).To(BeEmpty(), sub)
	}
}

func self() process.Identity {
	GinkgoHelper()
	row, err := process.Lookup(os.Getpid())
	Expect(err).NotTo(HaveOccurred())
	return row.Identity
}

// give makes a process the owner of a runtime.
func give(r *monitor.Runtime, pid int) {
	GinkgoHelper()
	row, err := process.Lookup(pid)
	Expect(err).NotTo(HaveOccurred())
	change(r, func(record *monitor.Record) { record.Owner = row.Identity })
}

// change edits the record of a runtime.
func change(r *monitor.Runtime, edit func(*monitor.Record)) {
	GinkgoHelper()
	record, err := r.Record()
	Expect(err).NotTo(HaveOccurred())
	edit(&record)
	text, err := json.Marshal(record)
	Expect(err).NotTo(HaveOccurred())
	Expect(os.WriteFile(filepath.Join(r.Dir(), "runtime.json"), text, 0o600)).To(Succeed())
}

// join writes into the journal of a runtime that processes joined: the first as its owner,
// and each other as a child of the one before.
func join(r *monitor.Runtime, members ...process.Identity) {
	GinkgoHelper()
	file, err := os.OpenFile(filepath.Join(r.Dir(), "journal.jsonl"), os.O_WRONLY|os.O_APPEND, 0)
	Expect(err).NotTo(HaveOccurred())
	defer file.Close()
	journal := json.NewEncoder(file)
	link := trees.Link{Kind: trees.LinkRoot}
	for _, id := range members {
		m := trees.Member{Process: process.Process{Identity: id}, Link: link, Joined: time.Now()}
		Expect(journal.Encode(monitor.JournalEntry{Event: trees.Joined, Member: &m})).To(Succeed())
		link = trees.Link{Kind: trees.LinkParent, Through: id}
	}
}
