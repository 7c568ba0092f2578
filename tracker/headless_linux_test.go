package tracker

import (
	"fmt"
	"os"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/internal/testproc"
	"github.com/gemini-monitor/gemini/tracker/process"
)

var _ = withTracker("A tree whose root's first thread has ended", func(open func() *Tracker) {
	// outlived waits until the first thread is a zombie, as /proc shows it.
	outlived := func(ctx SpecContext, pid int) {
		GinkgoHelper()
		Eventually(ctx, func() (string, error) {
			status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
			return string(status), err
		}).Should(ContainSubstring("State:\tZ"))
	}

	It("lives as long as the other threads", func(ctx SpecContext) {
		r := testproc.Lead(2, testproc.Played("leaderless"))
		r.Persons(1)
		tree := follow(ctx, open(), r.Pid)
		ended := ends(ctx, tree, r.Oracle)
		r.Open(0)
		outlived(ctx, r.Pid)
		Expect(testproc.Look(ctx, r.Pid).State).To(Equal(process.Running))
		lives(ctx, tree, r.Oracle)
		Expect(ended).NotTo(Receive())
		r.Open(1)
		Eventually(ctx, ended).Should(Receive(Equal(inTime)))
	}, testproc.Patience)

	It("may be tracked", func(ctx SpecContext) {
		r := testproc.Lead(2, testproc.Played("leaderless"))
		r.Persons(1)
		r.Open(0)
		outlived(ctx, r.Pid)
		tree := follow(ctx, open(), r.Pid)
		ended := ends(ctx, tree, r.Oracle)
		lives(ctx, tree, r.Oracle)
		r.Open(1)
		Eventually(ctx, ended).Should(Receive(Equal(inTime)))
	}, testproc.Patience)

	It("lives on when another thread execs", func(ctx SpecContext) {
		r := testproc.Lead(3, testproc.Played("leaderless", testproc.ScriptVariable+"=echo sh $$; read line <&6"))
		r.Persons(1)
		before := testproc.Look(ctx, r.Pid).Identity
		tree := follow(ctx, open(), r.Pid)
		ended := ends(ctx, tree, r.Oracle)
		r.Open(0)
		outlived(ctx, r.Pid)
		r.Open(1)
		_, pid := r.Person()
		Expect(pid).To(Equal(r.Pid))
		Expect(testproc.Look(ctx, r.Pid).Identity).To(Equal(before))
		lives(ctx, tree, r.Oracle)
		Expect(ended).NotTo(Receive())
		r.Open(2)
		Eventually(ctx, ended).Should(Receive(Equal(inTime)))
	}, testproc.Patience)
}, Label("linux"))
