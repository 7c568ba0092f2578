//go:build darwin || linux

package monitor_test

import (
	"os"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"golang.org/x/sys/unix"

	"github.com/gemini-monitor/gemini/monitor"
	"github.com/gemini-monitor/gemini/tracker/process"
)

var _ = Describe("A survey", func() {
	var store *monitor.Store

	BeforeEach(func() { store = newStore() })

	Describe("finds the runtime it is asked in:", func() {
		parent := func() process.Identity {
			GinkgoHelper()
			row, err := process.Lookup(os.Getppid())
			Expect(err).NotTo(HaveOccurred())
			return row.Identity
		}

		age := func(r *monitor.Runtime, hours int) {
			GinkgoHelper()
			change(r, func(record *monitor.Record) {
				record.Created = time.Now().Add(-time.Duration(hours) * time.Hour).UTC()
			})
		}

		// inherit opens the lease of a runtime as a process has it that inherited it.
		inherit := func(r *monitor.Runtime) {
			GinkgoHelper()
			lease := hold(r)
			defer lease.Close()
			fd, err := unix.Dup(int(lease.Fd()))
			Expect(err).NotTo(HaveOccurred())
			DeferCleanup(func() { Expect(unix.Close(fd)).To(Succeed()) })
		}

		It("none", func() {
			own(store, "build", start("read -r x <&3", through(newGate())...).Identity)
			_, err := surveyOf(store).Current()
			Expect(err).To(MatchError(monitor.ErrNone))
		})

		It("the one of which it is the owner", func() {
			own(store, "build", self())
			Expect(surveyOf(store).Current()).To(HaveField("Name", "build"))
		})

		It("the one of which it is a member", func() {
			join(own(store, "build", dead()), self())
			Expect(surveyOf(store).Current()).To(HaveField("Name", "build"))
		})

		It("the one of its parent, where it is too new to be in a journal", func() {
			own(store, "build", parent())
			Expect(surveyOf(store).Current()).To(HaveField("Name", "build"))
		})

		It("its own before its parent's, though that is newer", func() {
			age(own(store, "mine", self()), 2)
			age(own(store, "parents", parent()), 1)
			Expect(surveyOf(store).Current()).To(HaveField("Name", "mine"))
		})

		It("the newest of several in the same process, as nested runs make them", func() {
			age(own(store, "outer", self()), 3)
			age(own(store, "inner", self()), 1)
			age(own(store, "middle", self()), 2)
			Expect(surveyOf(store).Current()).To(HaveField("Name", "inner"))
		})

		It("not one that had a process with the same PID before", func() {
			stranger := self()
			stranger.Start--
			join(own(store, "build", stranger), stranger)
			_, err := surveyOf(store).Current()
			Expect(err).To(MatchError(monitor.ErrNone))
		})

		It("its own, whatever the environment names", func() {
			own(store, "mine", self())
			own(store, "named", start("read -r x <&3", through(newGate())...).Identity)
			for _, name := range []string{"named", "gone", "../x"} {
				GinkgoT().Setenv(monitor.EnvRuntime, name)
				Expect(surveyOf(store).Current()).To(HaveField("Name", "mine"))
			}
		})

		It("none where it only carries the name of one in its environment", func() {
			own(store, "named", start("read -r x <&3", through(newGate())...).Identity)
			for _, name := range []string{"named", "gone", "../x"} {
				GinkgoT().Setenv(monitor.EnvRuntime, name)
				_, err := surveyOf(store).Current()
				Expect(err).To(MatchError(monitor.ErrNone))
			}
		})

		It("the newest one whose lease it has inherited, where the table shows none", func() {
			older, newer := own(store, "older", dead()), own(store, "newer", dead())
			age(older, 2)
			age(newer, 1)
			inherit(older)
			Expect(surveyOf(store).Current()).To(HaveField("Name", "older"))
			inherit(newer)
			GinkgoT().Setenv(monitor.EnvRuntime, "older")
			Expect(surveyOf(store).Current()).To(HaveField("Name", "newer"))
		})

		It("not one whose lease it has opened itself, as a monitor does", func() {
			r := own(store, "named", dead())
			witness, err := r.LeaseWitness()
			Expect(err).NotTo(HaveOccurred())
			defer witness.Close()
			GinkgoT().Setenv(monitor.EnvRuntime, "named")
			_, err = surveyOf(store).Current()
			Expect(err).To(MatchError(monitor.ErrNone))
		})

		It("of another process, without regard to the lease that the caller has inherited", func() {
			child := start("read -r x <&3", through(newGate())...)
			r := own(store, "build", child.Identity)
			inherit(own(store, "leased", dead()))
			Expect(surveyOf(store).Of(child.PID)).To(HaveField("Name", "build"))
			_, err := surveyOf(store).Of(os.Getpid())
			Expect(err).To(MatchError(monitor.ErrNone))
			change(r, func(record *monitor.Record) { record.Owner = parent() })
			Expect(surveyOf(store).Of(child.PID)).To(HaveField("Name", "build"), "it descends from its parent's parent")
			_, err = surveyOf(store).Of(dead().PID)
			Expect(err).To(MatchError(process.ErrGone))
		})

		It("its own, though others are broken", func() {
			own(store, "mine", self())
			Expect(os.Truncate(own(store, "broken", self()).Path(monitor.RecordFile), 0)).To(Succeed())
			Expect(surveyOf(store).Current()).To(HaveField("Name", "mine"))
		})
	})
})
