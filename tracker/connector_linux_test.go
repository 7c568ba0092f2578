package tracker

import (
	"log/slog"
	"sync/atomic"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"golang.org/x/sys/unix"

	"github.com/gemini-monitor/gemini/tracker/process"
)

// A narrowKernel has the smallest room for events that Linux allows, and counts
// how often some were lost.
type narrowKernel struct {
	*system
	lost atomic.Int32
}

func newNarrowKernel() *narrowKernel {
	if err := connectorRefusal(); err != nil {
		Skip("the proc connector does not speak to us: " + err.Error())
	}
	s, err := newConnectorSource()
	Expect(err).NotTo(HaveOccurred())
	Expect(unix.SetsockoptInt(s.socket.fd, unix.SOL_SOCKET, unix.SO_RCVBUF, 1)).To(Succeed())
	t, err := process.OpenReader()
	Expect(err).NotTo(HaveOccurred())
	return &narrowKernel{system: newSystemOf(s, t)}
}

func (k *narrowKernel) next(notices []seamNotice, timeout time.Duration) ([]seamNotice, error) {
	before := len(notices)
	notices, err := k.system.next(notices, timeout)
	for _, n := range notices[before:] {
		if n.Lost {
			k.lost.Add(1)
		}
	}
	return notices, err
}

var _ = Describe("The proc connector", Label("linux"), func() {
	It("keeps everybody although notices are lost", func(ctx SpecContext) {
		k := newNarrowKernel()
		tracker := newTracker(k, slog.New(slog.DiscardHandler))
		DeferCleanup(tracker.Close)
		c := perlCue(`
			wait_at(2);
			for (1 .. 20) {
				my @children = map { child { } } 1 .. 100;
				waitpid $_, 0 for @children;
			}
			child { child { report("leaf $$"); wait_at(1) } };
			wait_at(0)
		`)
		c.sys = ownGroup()
		r := lead(3, c)
		tree := follow(ctx, tracker, r.Pid)
		ended := ends(ctx, tree, r.oracle)
		r.open(2)
		_, leaf := r.person()
		r.open(0)
		members(ctx, tree, leaf)
		lives(ctx, tree, r.oracle)
		Expect(ended).NotTo(Receive())
		r.open(1)
		Eventually(ctx, ended).Should(Receive(Equal(inTime)))
		Expect(k.lost.Load()).NotTo(BeZero(), "nothing was lost, so nothing was shown")
	}, patience)

	It("says all that a process did, however late it is listened to", func(SpecContext) {
		k, err := ways[0].open()
		Expect(err).NotTo(HaveOccurred())
		defer k.close()
		k.inherit()
		r := lead(3, played("leaderless", scriptVariable+"=(read line <&6) & echo leaf $!"))
		r.persons(1)
		Expect(k.add(r.Pid)).To(Succeed())
		// The end of its first thread, its exec, its fork, its end.
		r.open(0)
		r.open(1)
		_, leaf := r.person()
		r.reap()
		var all []seamNotice
		for len(all) == 0 || all[len(all)-1].Events != process.Exited {
			all, err = k.next(all, forever)
			Expect(err).NotTo(HaveOccurred())
		}
		Expect(all).To(HaveExactElements(
			HaveField("Events", process.Execed),
			And(HaveField("Events", process.Forked), HaveField("Child", leaf)),
			And(HaveField("Events", process.Exited), HaveField("PID", r.Pid)),
		))
	}, patience)

	It("loses nothing of a process that is watched once more", func(SpecContext) {
		if err := connectorRefusal(); err != nil {
			Skip("the proc connector does not speak to us: " + err.Error())
		}
		s, err := newConnectorSource()
		Expect(err).NotTo(HaveOccurred())
		defer s.close()
		s.inherit()
		r := perl(3, `report("root $$"); wait_at(0); my $c = child { wait_at(1) }; report("child $c"); wait_at(1)`)
		r.person() // and so has been exec'd
		Expect(s.add(r.Pid)).To(Succeed())
		s.socket.stop()
		s.goroutine.Wait() // nobody but we reads from now on
		r.open(0)
		_, child := r.person()
		Expect(s.add(r.Pid)).To(Succeed())
		notices, err := s.next(nil, 0)
		Expect(err).NotTo(HaveOccurred())
		Expect(notices).To(ConsistOf(And(HaveField("Events", process.Forked), HaveField("Child", child))))
	}, patience)

	It("says nothing of threads", func(ctx SpecContext) {
		k, err := ways[0].open()
		Expect(err).NotTo(HaveOccurred())
		defer k.close()
		// Each command of the shell is a child; the actor's threads are none.
		r := lead(2, played("leaderless"))
		r.persons(1)
		Expect(k.add(r.Pid)).To(Succeed())
		r.open(0)
		r.open(1)
		var all []seamNotice
		for len(all) == 0 {
			all, err = k.next(all, forever)
			Expect(err).NotTo(HaveOccurred())
		}
		Expect(all).To(Equal([]seamNotice{{PID: r.Pid, Events: process.Exited}}))
	}, patience)
})
