//go:build darwin || linux

package monitor_test

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/monitor"
	"github.com/gemini-monitor/gemini/tracker/process"
)

var _ = Describe("Making a runtime", func() {
	var store *monitor.Store

	BeforeEach(func() { store = newStore() })

	It("records its owner, command, place and time", func() {
		GinkgoT().Chdir(GinkgoT().TempDir())
		before := time.Now()
		runtime, err := store.Create(mine("build", []string{"make", "-j 8"}))
		Expect(err).NotTo(HaveOccurred())
		Expect(runtime.Name()).To(Equal("build"))
		Expect(runtime.Root()).To(BeADirectory())
		record, err := runtime.Record()
		Expect(err).NotTo(HaveOccurred())
		Expect(record.Name).To(Equal("build"))
		Expect(record.State).To(Equal(monitor.StateStarting))
		Expect(record.Owner).To(Equal(self()))
		Expect(record.Monitor).To(BeNil())
		Expect(record.Command).To(Equal([]string{"make", "-j 8"}))
		Expect(record.User).To(Equal(os.Geteuid()))
		Expect(record.Created).To(BeTemporally("~", before, time.Minute))
		Expect(record.Created.Location()).To(Equal(time.UTC))
		here, err := os.Getwd()
		Expect(err).NotTo(HaveOccurred())
		Expect(record.Directory).To(Equal(here))
		host, err := os.Hostname()
		Expect(err).NotTo(HaveOccurred())
		Expect(record.Host).To(Equal(host))
		Expect(record.Machine).NotTo(BeEmpty())
	})

	It("records the owner that it is given, which need not be the maker", func() {
		owner := start("read -r x <&3", through(newGate())...).Identity
		runtime, err := store.Create(monitor.Creation{Owner: owner, Command: []string{"/bin/sh"}})
		Expect(err).NotTo(HaveOccurred())
		Expect(runtime.Name()).To(HavePrefix("sh-"))
		Expect(runtime.Record()).To(HaveField("Owner", owner))
	})

	It("fails for an owner that is no process", func() {
		_, err := store.Create(monitor.Creation{Name: "build", Owner: process.Identity{PID: -1, Boot: "now"}})
		Expect(err).To(MatchError(ContainSubstring("PID -1 is no owner")))
		Expect(contents(store.Runtimes())).To(BeEmpty())
	})

	It("fails where the name is in use, and leaves the other alone", func() {
		first, err := store.Create(mine("build", []string{"first"}))
		Expect(err).NotTo(HaveOccurred())
		_, err = store.Create(mine("build", []string{"second"}))
		Expect(err).To(MatchError(monitor.ErrExist))
		Expect(err).To(MatchError(`runtime "build" exists already`))
		Expect(first.Record()).To(HaveField("Command", []string{"first"}))
		Expect(contents(store.Runtimes())).To(Equal([]string{"build"}))
	})

	It("fails where a broken runtime has the name, which stays as it is", func() {
		first, err := store.Create(mine("build", nil))
		Expect(err).NotTo(HaveOccurred())
		Expect(os.Truncate(first.Path(monitor.RecordFile), 3)).To(Succeed())
		_, err = store.Create(mine("build", nil))
		Expect(err).To(MatchError(monitor.ErrExist))
		Expect(first.Path(monitor.RecordFile)).To(BeARegularFile())
	})

	It("fails where a file has the name", func() {
		Expect(os.MkdirAll(store.Runtimes(), 0o700)).To(Succeed())
		place := filepath.Join(store.Runtimes(), "build")
		Expect(os.WriteFile(place, []byte("mine"), 0o600)).To(Succeed())
		_, err := store.Create(mine("build", nil))
		Expect(err).To(MatchError(monitor.ErrExist))
		Expect(os.ReadFile(place)).To(Equal([]byte("mine")))
		Expect(contents(store.Runtimes())).To(Equal([]string{"build"}), "no stage is left")
	})

	It("is won by exactly one of many at once", func() {
		const many = 16
		var makers sync.WaitGroup
		var won, lost atomic.Int32
		begin := make(chan struct{})
		for i := range many {
			makers.Go(func() {
				defer GinkgoRecover()
				<-begin
				runtime, err := store.Create(mine("build", []string{fmt.Sprint(i)}))
				if err != nil {
					Expect(err).To(MatchError(monitor.ErrExist))
					lost.Add(1)
					return
				}
				won.Add(1)
				Expect(runtime.Record()).To(HaveField("Command", []string{fmt.Sprint(i)}))
			})
		}
		close(begin)
		makers.Wait()
		Expect(won.Load()).To(BeEquivalentTo(1))
		Expect(lost.Load()).To(BeEquivalentTo(many - 1))
		Expect(contents(store.Runtimes())).To(Equal([]string{"build"}), "no stage is left")
	})

	It("shows it whole: with the name there are all files", func() {
		const enough, atMost = 10, 100_000
		var maker sync.WaitGroup
		var seen atomic.Int32
		done := make(chan struct{})
		maker.Go(func() {
			defer close(done)
			defer GinkgoRecover()
			var last *monitor.Runtime
			for i := 0; i < 100 || seen.Load() < enough && i < atMost; i++ {
				runtime, err := store.Create(mine(fmt.Sprintf("r%d", i), nil))
				Expect(err).NotTo(HaveOccurred())
				if last != nil { // so that there is always one to be found
					Expect(last.Remove()).To(Succeed())
				}
				last = runtime
			}
		})
		for begun := false; !begun; {
			select {
			case <-done:
				begun = true
			default:
			}
			survey, err := store.Survey()
			Expect(err).NotTo(HaveOccurred())
			all, err := survey.All()
			Expect(err).NotTo(HaveOccurred())
			for _, status := range all {
				Expect(status.State).NotTo(Equal(monitor.StateBroken), status.Reason)
			}
			seen.Add(int32(len(all)))
		}
		maker.Wait()
		Expect(seen.Load()).To(BeNumerically(">=", enough), "runtimes that were found")
	})
})

var _ = Describe("Sweeping a store", func() {
	var store *monitor.Store

	BeforeEach(func() {
		store = newStore()
		_, err := store.Create(mine("build", nil))
		Expect(err).NotTo(HaveOccurred())
	})

	// stageOn leaves a runtime that a process of a machine is making, half done.
	stageOn := func(machine string, maker process.Identity) string {
		GinkgoHelper()
		name := monitor.StageOf(maker, machine) + "1"
		Expect(os.MkdirAll(filepath.Join(store.Runtimes(), name, "root"), 0o700)).To(Succeed())
		return name
	}

	stage := func(maker process.Identity) string {
		GinkgoHelper()
		here, err := monitor.ReadMachine()
		Expect(err).NotTo(HaveOccurred())
		return stageOn(here, maker)
	}

	It("deletes what a dead process was making", func() {
		stage(dead())
		store.Sweep()
		Expect(contents(store.Runtimes())).To(Equal([]string{"build"}))
	})

	It("deletes what a zombie was making", func() {
		c := start("exit 0")
		stage(c.Identity)
		Eventually(func() (process.State, error) {
			row, err := process.Lookup(c.PID)
			return row.State, err
		}).Should(Equal(process.Zombie))
		store.Sweep()
		Expect(contents(store.Runtimes())).To(Equal([]string{"build"}))
	})

	It("deletes what a process was making whose PID is another's now", func() {
		maker := self()
		maker.Start--
		stage(maker)
		store.Sweep()
		Expect(contents(store.Runtimes())).To(Equal([]string{"build"}))
	})

	It("deletes what was being made before the last boot, also when another process has that PID now", func() {
		maker := self()
		maker.Boot = "earlier"
		stage(maker)
		store.Sweep()
		Expect(contents(store.Runtimes())).To(Equal([]string{"build"}))
	})

	DescribeTable("leaves what another machine may be making, whose boot is another too", func(machine string) {
		maker := self()
		maker.Boot = "another"
		name := stageOn(machine, maker)
		store.Sweep()
		Expect(contents(store.Runtimes())).To(ConsistOf("build", name))
	},
		Entry("another one", "another"),
		Entry("one that is not known", ""),
	)

	It("deletes what a process of this boot was making, whatever its machine is called", func() {
		stageOn("another", dead())
		store.Sweep()
		Expect(contents(store.Runtimes())).To(Equal([]string{"build"}))
	})

	It("leaves what a living process is making", func() {
		mine, other := stage(self()), stage(start("read -r x <&3", through(newGate())...).Identity)
		store.Sweep()
		Expect(contents(store.Runtimes())).To(ConsistOf("build", mine, other))
	})

	It("leaves what it cannot read a maker from", func() {
		odd := []string{".new-x", ".new-x,", ".new-1-1", ".new-1-1,", ".new-1-1-%x,", ".new-1-1-boot,", ".DS_Store"}
		for _, name := range odd {
			Expect(os.Mkdir(filepath.Join(store.Runtimes(), name), 0o700)).To(Succeed())
		}
		store.Sweep()
		Expect(contents(store.Runtimes())).To(HaveLen(1 + len(odd)))
	})

	It("finishes deleting what others began to delete", func() {
		Expect(os.MkdirAll(filepath.Join(store.Trash(), "x-1", "root", "deep"), 0o700)).To(Succeed())
		Expect(os.Chmod(filepath.Join(store.Trash(), "x-1", "root"), 0o500)).To(Succeed())
		Expect(os.WriteFile(filepath.Join(store.Trash(), "file"), nil, 0o600)).To(Succeed())
		store.Sweep()
		Expect(contents(store.Trash())).To(BeEmpty())
	})

	// What a link in the store points to is not the store's.
	DescribeTable("leaves what is behind a link", func(link func() string) {
		precious := GinkgoT().TempDir()
		Expect(os.MkdirAll(filepath.Join(precious, "root", "deep"), 0o700)).To(Succeed())
		Expect(os.WriteFile(filepath.Join(precious, "file"), nil, 0o600)).To(Succeed())
		Expect(os.Symlink(precious, link())).To(Succeed())
		store.Sweep()
		Expect(contents(precious)).To(ConsistOf("root", "file"))
		Expect(contents(filepath.Join(precious, "root"))).To(Equal([]string{"deep"}))
	},
		Entry("in the place of the trash", func() string {
			Expect(os.RemoveAll(store.Trash())).To(Succeed())
			return store.Trash()
		}),
		Entry("in the trash", func() string { return filepath.Join(store.Trash(), "x-1") }),
		Entry("in the trash, in the place of a runtime's own directory", func() string {
			Expect(os.Mkdir(filepath.Join(store.Trash(), "x-1"), 0o700)).To(Succeed())
			return filepath.Join(store.Trash(), "x-1", "root")
		}),
		Entry("in the place of what a dead process was making", func() string {
			path := filepath.Join(store.Runtimes(), stage(dead()))
			Expect(os.RemoveAll(path)).To(Succeed())
			return path
		}),
	)

	It("leaves the record of a runtime behind a link as it is", func() {
		others := GinkgoT().TempDir()
		Expect(os.Mkdir(filepath.Join(others, "living"), 0o700)).To(Succeed())
		record, err := os.ReadFile(filepath.Join(store.Runtimes(), "build", "runtime.json"))
		Expect(err).NotTo(HaveOccurred())
		copied := filepath.Join(others, "living", "runtime.json")
		Expect(os.WriteFile(copied, record, 0o600)).To(Succeed())
		Expect(os.RemoveAll(store.Trash())).To(Succeed())
		Expect(os.Symlink(others, store.Trash())).To(Succeed())
		store.Sweep()
		Expect(os.ReadFile(copied)).To(Equal(record))
	})

	It("is not the work of a process that makes a runtime", func() {
		name := stage(dead())
		Expect(os.Mkdir(filepath.Join(store.Trash(), "x-1"), 0o700)).To(Succeed())
		_, err := store.Create(mine("second", nil))
		Expect(err).NotTo(HaveOccurred())
		Expect(contents(store.Runtimes())).To(ConsistOf("build", "second", name))
		Expect(contents(store.Trash())).To(Equal([]string{"x-1"}))
	})
})
