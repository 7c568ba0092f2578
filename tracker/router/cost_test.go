//go:build darwin || linux

package router

import (
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/internal/testproc"
)

var _ = withRouter("A look-up of a process that asked before", func(open func(...func(*Options[string])) *Router[string]) {
	It("makes no garbage and reads no table, for members and for strangers", func(ctx SpecContext) {
		r := open()
		root := testproc.Perl(3, family)
		_, child := root.Person()
		foreign := testproc.Perl(1, `wait_at(0)`)
		registered(ctx, r, root.Pid, "a")
		belongs(r, child, "a")
		strange(r, foreign.Pid)
		belongs(r, root.Pid, "a")
		// What the tracker makes meanwhile counts too, so one run without garbage is enough.
		Eventually(ctx, func() float64 {
			return testing.AllocsPerRun(100, func() {
				r.Of(child)
				r.Of(root.Pid)
				r.Of(foreign.Pid)
			})
		}).Should(BeZero())
	}, testproc.Patience)

	It("is right where not all can be remembered", func(ctx SpecContext) {
		r := open(func(o *Options[string]) { o.Guards = 2 })
		root := testproc.Perl(2, `child { report("child $$"); wait_at(1) } for 1 .. 6; wait_at(0)`)
		var pids []int
		for range 6 {
			_, pid := root.Person()
			pids = append(pids, pid)
		}
		foreign := testproc.Perl(1, `child { report("child $$"); wait_at(0) } for 1 .. 3; wait_at(0)`)
		registered(ctx, r, root.Pid, "a")
		for range 3 {
			for _, pid := range pids {
				belongs(r, pid, "a")
			}
		}
		for range 3 {
			_, pid := foreign.Person()
			strange(r, pid)
			strange(r, foreign.Pid)
		}
		Expect(r.shelf.count()).To(BeNumerically("<=", 2))
	}, testproc.Patience)
})
