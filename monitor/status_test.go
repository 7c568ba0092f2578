//go:build darwin || linux

package monitor_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"golang.org/x/sys/unix"

	"github.com/gemini-monitor/gemini/monitor"
	"github.com/gemini-monitor/gemini/tracker/process"
	"github.com/gemini-monitor/gemini/tracker/trees"
)

// stateOf returns the state of a runtime in its status.
func stateOf(store *monitor.Store, name string) (monitor.State, error) {
	status, err := statusOf(store, name)
	return status.State, err
}

func statusOf(store *monitor.Store, name string) (monitor.Status, error) {
	survey, err := store.Survey()
	if err != nil {
		return monitor.Status{}, err
	}
	runtime, err := store.Runtime(name)
	if err != nil {
		return monitor.Status{}, err
	}
	return survey.Status(runtime)
}

func surveyOf(store *monitor.Store) *monitor.Survey {
	GinkgoHelper()
	survey, err := store.Survey()
	Expect(err).NotTo(HaveOccurred())
	return survey
}

// join writes into the journal of a runtime that processes joined.
func join(r *monitor.Runtime, who ...process.Identity) {
	GinkgoHelper()
	journal, err := monitor.OpenJournal(r.Path(monitor.JournalFile))
	Expect(err).NotTo(HaveOccurred())
	defer journal.Close()
	for _, id := range who {
		m := trees.Member{Process: process.Process{Identity: id}, Link: trees.Link{Kind: trees.LinkParent}}
		Expect(journal.Append(trees.Change{Kind: trees.Joined, Member: m})).To(Succeed())
	}
}

func pipeAt(path string) {
	GinkgoHelper()
	Expect(syscall.Mkfifo(path, 0o600)).To(Succeed())
}

func endlessAt(path string) {
	GinkgoHelper()
	Expect(os.Symlink("/dev/zero", path)).To(Succeed())
}

var _ = Describe("The status of a runtime", func() {
	var store *monitor.Store

	BeforeEach(func() { store = newStore() })

	alive := func() *process.Identity { id := self(); return &id }
	gone := func() *process.Identity { id := dead(); return &id }
	another := func() *process.Identity { id := self(); id.Start--; return &id }
	earlier := func() *process.Identity { id := self(); id.Boot = "earlier"; return &id }
	none := func() *process.Identity { return nil }

	DescribeTable("has the state", func(recorded monitor.State, owner, watcher func() *process.Identity, shown monitor.State) {
		runtime := own(store, "build", *owner())
		who := watcher()
		change(runtime, func(r *monitor.Record) { r.State, r.Monitor, r.Reason = recorded, who, "because" })
		status, err := statusOf(store, "build")
		Expect(err).NotTo(HaveOccurred())
		Expect(status.State).To(Equal(shown))
		Expect(status.Reason).To(Equal("because"))
		Expect(status.Name).To(Equal("build"))
		Expect(status.Root).To(Equal(runtime.Root()))
		Expect(status.Log).To(Equal(runtime.Path(monitor.LogFile)))
	},
		Entry("starting, while its maker lives", monitor.StateStarting, alive, none, monitor.StateStarting),
		Entry("unmonitored, when its maker died first", monitor.StateStarting, gone, none, monitor.StateUnmonitored),
		Entry("running, while its monitor lives", monitor.StateRunning, alive, alive, monitor.StateRunning),
		Entry("running, also when the owner is dead", monitor.StateRunning, gone, alive, monitor.StateRunning),
		Entry("unmonitored, when the monitor is dead", monitor.StateRunning, alive, gone, monitor.StateUnmonitored),
		Entry("unmonitored, when the monitor's PID is another's", monitor.StateRunning, alive, another, monitor.StateUnmonitored),
		Entry("unmonitored, when the monitor was one of an earlier boot", monitor.StateRunning, earlier, earlier, monitor.StateUnmonitored),
		Entry("unknown, while the monitor that recorded it lives", monitor.StateUnknown, gone, alive, monitor.StateUnknown),
		Entry("unmonitored, when the monitor that recorded unknown is dead", monitor.StateUnknown, gone, gone, monitor.StateUnmonitored),
		Entry("stopping, while its monitor cleans up", monitor.StateStopping, gone, alive, monitor.StateStopping),
	)

	It("takes a zombie monitor for dead", func() {
		runtime := own(store, "build", self())
		zombie := start("exit 0").Identity
		Eventually(lives).WithArguments(zombie).Should(BeFalse())
		change(runtime, func(r *monitor.Record) { r.State, r.Monitor = monitor.StateRunning, &zombie })
		Expect(stateOf(store, "build")).To(Equal(monitor.StateUnmonitored))
	})

	It("has the live members of the journal, oldest first, as they are now", func() {
		runtime := own(store, "build", self())
		child := start("exec cat <&3", through(newGate())...)
		zombie := start("exit 0").Identity
		Eventually(lives).WithArguments(zombie).Should(BeFalse())
		join(runtime, child.Identity, dead(), self(), zombie, *another(), *earlier())
		Eventually(func() (string, error) {
			row, err := process.Lookup(child.PID)
			return row.Command.String(), err
		}).Should(Equal("cat"))
		status, err := statusOf(store, "build")
		Expect(err).NotTo(HaveOccurred())
		Expect(status.Members).To(HaveLen(2))
		Expect(status.Members[0].Identity).To(Equal(self()))
		Expect(status.Members[1].Identity).To(Equal(child.Identity))
		Expect(status.Members[1].Command.String()).To(Equal("cat"), "the journal did not know that")
		Expect(status.Members[1].Parent).To(Equal(os.Getpid()))
		Expect(status.Members[1].Link.Kind).To(Equal(trees.LinkParent), "the table does not know that")
	})

	It("knows of an owner that has ended, whose PID may be another's", func() {
		own(store, "build", self())
		Expect(statusOf(store, "build")).To(HaveField("OwnerEnded", false))
		for i, owner := range []process.Identity{dead(), *another(), *earlier()} {
			name := fmt.Sprint("ended-", i)
			own(store, name, owner)
			Expect(statusOf(store, name)).To(HaveField("OwnerEnded", true))
		}
	})

	It("has a list of members, not nothing, where there are none", func() {
		own(store, "build", dead())
		status, err := statusOf(store, "build")
		Expect(err).NotTo(HaveOccurred())
		Expect(status.Members).To(And(BeEmpty(), Not(BeNil())))
	})

	DescribeTable("is broken, and is not waited for, where no file is in its place but", func(ctx SpecContext, file string, put func(path string)) {
		runtime := own(store, "build", self())
		Expect(os.Remove(runtime.Path(file))).To(Succeed())
		put(runtime.Path(file))
		status, err := statusOf(store, "build")
		Expect(err).NotTo(HaveOccurred())
		Expect(status.State).To(Equal(monitor.StateBroken))
		Expect(status.Reason).To(ContainSubstring(runtime.Path(file) + ": is not a regular file"))
	},
		Entry("a pipe for the record", NodeTimeout(10*time.Second), monitor.RecordFile, pipeAt),
		Entry("a pipe for the journal", NodeTimeout(10*time.Second), monitor.JournalFile, pipeAt),
		Entry("an endless device for the record", NodeTimeout(10*time.Second), monitor.RecordFile, endlessAt),
		Entry("an endless device for the journal", NodeTimeout(10*time.Second), monitor.JournalFile, endlessAt),
	)

	DescribeTable("is broken, by name and with the reason, and nothing is touched", func(file, text, reason string) {
		runtime := own(store, "build", self())
		Expect(os.WriteFile(runtime.Path(file), []byte(text), 0o600)).To(Succeed())
		status, err := statusOf(store, "build")
		Expect(err).NotTo(HaveOccurred())
		Expect(status.Name).To(Equal("build"))
		Expect(status.State).To(Equal(monitor.StateBroken))
		Expect(status.Reason).To(ContainSubstring(reason))
		Expect(status.Members).To(And(BeEmpty(), Not(BeNil())))
		Expect(os.ReadFile(runtime.Path(file))).To(Equal([]byte(text)))
		Expect(runtime.Root()).To(BeADirectory())
	},
		Entry("with half a record", monitor.RecordFile, `{"version":1,`, "has a broken record"),
		Entry("with an empty record", monitor.RecordFile, "", "has a broken record"),
		Entry("with a record of another version", monitor.RecordFile, `{"version":3}`, "version 3 is neither 1 nor 2"),
		Entry("with a record that names another runtime",
			monitor.RecordFile, `{"version":1,"name":"other","owner":{"pid":4711}}`, "other"),
		Entry("with garbage in the journal", monitor.JournalFile, "{}\n?\n{}\n", "journal, byte 3"),
	)

	Describe("of what is left of a removed runtime", func() {
		// left moves the runtime into the trash, as it was when its monitor moved it.
		left := func(state monitor.State, owner, watcher *process.Identity) {
			GinkgoHelper()
			runtime := own(store, "build", *owner)
			change(runtime, func(r *monitor.Record) { r.State, r.Monitor, r.Reason = state, watcher, "because" })
			Expect(os.Rename(runtime.Dir(), filepath.Join(store.Trash(), "build-1"))).To(Succeed())
		}
		all := func() []monitor.Status {
			GinkgoHelper()
			survey, err := store.Survey()
			Expect(err).NotTo(HaveOccurred())
			all, err := survey.All()
			Expect(err).NotTo(HaveOccurred())
			return all
		}

		It("has the reason for that", func() {
			left(monitor.StateStopping, gone(), gone())
			aside := filepath.Join(store.Trash(), "build-1")
			Expect(all()).To(ConsistOf(And(HaveField("Name", "build"), HaveField("State", monitor.StateStopping),
				HaveField("Reason", "because"), HaveField("Root", filepath.Join(aside, "root")), HaveField("Log", filepath.Join(aside, monitor.LogFile)))))
			survey, err := store.Survey()
			Expect(err).NotTo(HaveOccurred())
			Expect(survey.Named("build")).To(HaveField("Reason", "because"))
			_, err = survey.Named("other")
			Expect(err).To(MatchError(monitor.ErrNotExist))
		})

		It("is not told of one that its monitor, or its owner, is deleting", func() {
			left(monitor.StateRunning, gone(), alive())
			Expect(all()).To(BeEmpty())
			Expect(os.RemoveAll(filepath.Join(store.Trash(), "build-1"))).To(Succeed())
			left(monitor.StateStarting, alive(), nil)
			Expect(all()).To(BeEmpty())
		})

		It("says that the deletion was interrupted when that one is dead", func() {
			left(monitor.StateRunning, gone(), gone())
			Expect(all()).To(ConsistOf(And(HaveField("State", monitor.StateStopping), HaveField("Reason", ContainSubstring("was interrupted")))))
		})

		It("stands behind that of a later runtime of the same name", func() {
			left(monitor.StateStopping, gone(), gone())
			own(store, "build", self())
			Expect(all()).To(HaveExactElements(HaveField("State", monitor.StateStarting), HaveField("State", monitor.StateStopping)))
			survey, err := store.Survey()
			Expect(err).NotTo(HaveOccurred())
			Expect(survey.Named("build")).To(HaveField("Owner", self()))
		})
	})

	It("is an error when the runtime was removed meanwhile", func() {
		runtime := own(store, "build", self())
		survey, err := store.Survey()
		Expect(err).NotTo(HaveOccurred())
		Expect(runtime.Remove()).To(Succeed())
		_, err = survey.Status(runtime)
		Expect(err).To(MatchError(monitor.ErrNotExist))
	})
})

var _ = Describe("A process that can open no file", func() {
	It("does not take a runtime for broken, nor for gone", func() {
		store := newStore()
		own(store, "build", self())
		Expect(play("pauper", store.Dir(), "build")).To(Equal(
			"runtime \"build\": short true, broken or gone false\n" +
				"all: short true, broken or gone false\n" +
				"record: short true, broken or gone false\n" +
				"find: short true, broken or gone false\n" +
				"find another: short true, broken or gone false\n" +
				"journal: short true, broken or gone false\n"))
	})
})

// playPauper asks for the state of a runtime where no file can be opened.
func playPauper(args []string) error {
	store, err := monitor.Open(args[0])
	if err != nil {
		return err
	}
	runtime, err := store.Runtime(args[1])
	if err != nil {
		return err
	}
	survey, err := store.Survey()
	if err != nil {
		return err
	}
	release, err := lower(unix.RLIMIT_NOFILE, 3)
	if err != nil {
		return err
	}
	tell := func(what string, err error) {
		fmt.Printf("%s: short %t, broken or gone %t\n", what, errors.Is(err, unix.EMFILE), errors.Is(err, monitor.ErrBroken) || errors.Is(err, monitor.ErrNotExist))
	}
	_, err = survey.Named(args[1])
	tell(fmt.Sprintf("runtime %q", args[1]), err)
	_, err = survey.All()
	tell("all", err)
	_, err = runtime.Record()
	tell("record", err)
	_, err = store.Find(args[1])
	tell("find", err)
	_, err = store.Find("another")
	tell("find another", err)
	for _, err = range runtime.Journal() {
		tell("journal", err)
	}
	return release()
}

var _ = Describe("A survey", func() {
	var store *monitor.Store

	BeforeEach(func() { store = newStore() })

	It("of a store that does not exist finds nothing", func() {
		Expect(surveyOf(store).All()).To(And(BeEmpty(), Not(BeNil())))
		_, err := surveyOf(store).Current()
		Expect(err).To(MatchError("No active runtime"))
	})

	It("lists all by name, the broken and the unsafe too", func() {
		for _, name := range []string{"c", "a", "d", "b"} {
			own(store, name, self())
		}
		Expect(os.Truncate(filepath.Join(store.Runtimes(), "b", monitor.RecordFile), 0)).To(Succeed())
		Expect(os.Chmod(filepath.Join(store.Runtimes(), "c"), 0o777)).To(Succeed())
		Expect(os.WriteFile(filepath.Join(store.Runtimes(), "e"), nil, 0o600)).To(Succeed())
		all, err := surveyOf(store).All()
		Expect(err).NotTo(HaveOccurred())
		var shown []string
		for _, status := range all {
			shown = append(shown, fmt.Sprint(status.Name, " ", status.State))
			Expect(status.Members).NotTo(BeNil())
			if status.State == monitor.StateBroken {
				Expect(status.Reason).NotTo(BeEmpty())
			}
		}
		Expect(shown).To(Equal([]string{"a starting", "b broken", "c broken", "d starting", "e broken"}))
	})
})
