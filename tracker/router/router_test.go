//go:build darwin || linux

package router

import (
	"os"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/internal/testproc"
)

var _ = withRouter("A router", func(open func(...func(*Options[string])) *Router[string]) {
	It("answers for a root and what it has made, before the registration and after", func(ctx SpecContext) {
		r := open()
		root := testproc.Perl(2, `child { report("early $$"); wait_at(1) }; wait_at(0); child { report("late $$"); wait_at(1) }; wait_at(1)`)
		_, early := root.Person()
		route := registered(ctx, r, root.Pid, "a")
		belongs(r, root.Pid, "a")
		belongs(r, early, "a")
		root.Open(0)
		_, late := root.Person()
		belongs(r, late, "a")
		root.Open(1)
		empties(ctx, route)
		strange(r, late)
	}, testproc.Patience)

	It("answers for an orphan as for its dead parent, however often it was orphaned", func(ctx SpecContext) {
		r := open()
		root := testproc.Perl(2, `
			POSIX::setsid(); wait_at(0);
			child { child { child { report("leaf $$"); wait_at(1) }; POSIX::_exit(0) }; POSIX::_exit(0) };
			1 while wait != -1;
			report("parent $$"); wait_at(1)`)
		registered(ctx, r, root.Pid, "a")
		root.Open(0)
		who := root.Persons(2)
		belongs(r, who["leaf"], "a")
	}, testproc.Patience)

	It("has no answer for what is foreign, and counts it nowhere", func(ctx SpecContext) {
		r := open()
		root := testproc.Perl(1, `wait_at(0)`)
		foreign := testproc.Perl(1, `child { report("child $$"); wait_at(0) }; wait_at(0)`)
		_, child := foreign.Person()
		route := registered(ctx, r, root.Pid, "a")
		for _, pid := range []int{0, -1, -root.Pid, 1, 2, foreign.Pid, child, os.Getpid(), 1 << 22, 1 << 40} {
			strange(r, pid)
		}
		Expect(route.Tree().Members()).To(HaveExactElements(HaveField("PID", root.Pid)))
	}, testproc.Patience)
})
