//go:build darwin || linux

package router

import (
	"runtime"
	"sync"
	"sync/atomic"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/internal/testproc"
)

// busy is a perl script of a root that says its PID and that of a child, and then makes
// processes that end at once, orphans too, until gate 0 is open.
const busy = `
	my $child = child { wait_at(1) };
	report("child $child");
	my $stop = ""; open my $gate, "<&", 4; vec($stop, fileno $gate, 1) = 1;
	until (select my $ready = $stop, undef, undef, 0.01) {
		for (1 .. 4) { child { POSIX::_exit(0) } }
		child { child { POSIX::setsid() }; POSIX::_exit(0) };
		1 while waitpid(-1, POSIX::WNOHANG()) > 0;
	}
	POSIX::_exit(0);
`

var _ = withRouter("Many that look up at once", func(open func(...func(*Options[string])) *Router[string]) {
	It("get right answers while trees fork, die, nest, join and are closed", Serial, func(ctx SpecContext) {
		const rounds = 4
		r := open(func(o *Options[string]) { o.Guards = 6 })
		var wrong, asked atomic.Int64
		stop := make(chan struct{})
		var askers sync.WaitGroup
		expect := func(pid int, values ...string) {
			askers.Go(func() {
				for i := 0; ; i++ {
					select {
					case <-stop:
						return
					default:
					}
					is, ok := r.Of(pid)
					asked.Add(1)
					runtime.Gosched()
					right := false
					for _, value := range values {
						right = right || is == value && ok == (value != "")
					}
					if !right {
						wrong.Add(1)
					}
				}
			})
		}
		first, second, foreign := testproc.Perl(2, busy), testproc.Perl(2, busy), testproc.Perl(1, `wait_at(0)`)
		_, one := first.Person()
		_, other := second.Person()
		a, b := registered(ctx, r, first.Pid, "a"), registered(ctx, r, second.Pid, "b")
		expect(first.Pid, "a")
		expect(one, "a", "inner")
		expect(second.Pid, "b")
		expect(other, "b")
		expect(foreign.Pid, "", "b")
		Expect(testproc.Sure(ctx, func() (bool, error) { return true, b.Join(ctx, identity(ctx, foreign.Pid)) })).To(BeTrue())
		child := identity(ctx, one)
		for range rounds {
			inner := testproc.Sure(ctx, func() (*Route[string], error) { return r.Register(ctx, child, "inner") })
			before := asked.Load()
			Eventually(ctx, asked.Load).Should(BeNumerically(">", before+20))
			Expect(inner.Close()).To(Succeed())
		}
		Expect(b.Leave(identity(ctx, foreign.Pid))).To(Succeed())
		close(stop)
		askers.Wait()
		Expect(wrong.Load()).To(BeZero(), "of %d", asked.Load())
		Expect(r.shelf.count()).To(BeNumerically("<=", 6))
		strange(r, foreign.Pid)
		for _, root := range []*testproc.Root{first, second} {
			root.Open(0)
			root.Open(1)
		}
		empties(ctx, a)
		empties(ctx, b)
	}, testproc.Patience)
})
