package kernel

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/internal/core"
	"github.com/gemini-monitor/gemini/internal/testproc"
	"github.com/gemini-monitor/gemini/tracker/process"
)

var _ = Describe("The proc connector", Label("linux", "connector"), func() {
	It("reports all that a process did, however late it is read", func(SpecContext) {
		k := testproc.Opened(Ways()[0].Open())
		defer k.Close()
		k.Inherit()
		r := testproc.Lead(3, testproc.Played("leaderless", testproc.ScriptVariable+"=(read line <&6) & echo leaf $!"))
		r.Persons(1)
		Expect(k.Add(r.Pid)).To(Succeed())
		// The end of its first thread, its exec, its fork, its end.
		r.Open(0)
		r.Open(1)
		_, leaf := r.Person()
		r.Reap()
		var all []core.Notice
		var err error
		for len(all) == 0 || all[len(all)-1].Events != process.Exited {
			all, err = k.Next(all, core.Forever)
			Expect(err).NotTo(HaveOccurred())
		}
		Expect(all).To(HaveExactElements(
			HaveField("Events", process.Execed),
			And(HaveField("Events", process.Forked), HaveField("Child", leaf)),
			And(HaveField("Events", process.Exited), HaveField("PID", r.Pid)),
		))
	}, testproc.Patience)

	It("loses nothing of a process that is watched once more", func(SpecContext) {
		source := testproc.Opened(mechanisms[0].open())
		s := source.(*connectorSource)
		defer s.Close()
		s.Inherit()
		r := testproc.Perl(3, `report("root $$"); wait_at(0); my $c = child { wait_at(1) }; report("child $c"); wait_at(1)`)
		r.Person() // and so has been exec'd
		Expect(s.Add(r.Pid)).To(Succeed())
		s.stop() // only this spec reads from now on
		r.Open(0)
		_, child := r.Person()
		Expect(s.Add(r.Pid)).To(Succeed())
		notices, err := s.Next(nil, 0)
		Expect(err).NotTo(HaveOccurred())
		Expect(notices).To(ConsistOf(And(HaveField("Events", process.Forked), HaveField("Child", child))))
	}, testproc.Patience)

	It("reports nothing of threads", func(ctx SpecContext) {
		k := testproc.Opened(Ways()[0].Open())
		defer k.Close()
		// Each command of the shell is a child; the actor's threads are none.
		r := testproc.Lead(2, testproc.Played("leaderless"))
		r.Persons(1)
		Expect(k.Add(r.Pid)).To(Succeed())
		r.Open(0)
		r.Open(1)
		var all []core.Notice
		var err error
		for len(all) == 0 {
			all, err = k.Next(all, core.Forever)
			Expect(err).NotTo(HaveOccurred())
		}
		Expect(all).To(Equal([]core.Notice{{PID: r.Pid, Events: process.Exited}}))
	}, testproc.Patience)
})
