package tracker

import (
	"log/slog"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/internal/kernel"
	"github.com/gemini-monitor/gemini/internal/testproc"
	"github.com/gemini-monitor/gemini/tracker/process"
	"github.com/gemini-monitor/gemini/tracker/trees"
)

// A slowKernel ends its first read, and begins the second, when a spec lets it.
type slowKernel struct {
	*kernel.Kernel
	reads               int
	read, first, second chan struct{}
}

func (k *slowKernel) Read(rows []process.Row) ([]process.Row, time.Duration, error) {
	if k.reads++; k.reads == 2 {
		<-k.second
	}
	rows, cost, err := k.Kernel.Read(rows)
	if k.reads == 1 {
		close(k.read)
		<-k.first
	}
	return rows, cost, err
}

var _ = Describe("A tree that begins by what is known of its root", Label("linux", "connector"), func() {
	It("keeps what the root makes after the first read has listed the processes", func(ctx SpecContext) {
		k := &slowKernel{Kernel: testproc.Opened(kernel.Ways()[0].Open()),
			read: make(chan struct{}), first: make(chan struct{}), second: make(chan struct{})}
		t := newTracker(k, slog.New(slog.DiscardHandler))
		DeferCleanup(t.Close)
		endFirst, beginSecond := sync.OnceFunc(func() { close(k.first) }), sync.OnceFunc(func() { close(k.second) })
		DeferCleanup(endFirst)
		DeferCleanup(beginSecond)
		r := testproc.Lead(3, testproc.PerlCue(`wait_at(1); child { report("leaf $$"); wait_at(2) }; wait_at(0)`))
		root := testproc.Look(ctx, r.Pid).Identity
		begun := make(chan *Tree, 1)
		go func() {
			defer GinkgoRecover()
			tree, err := t.Follow(ctx, root, trees.History{})
			Expect(err).NotTo(HaveOccurred())
			begun <- tree
		}()
		Eventually(ctx, k.read).Should(BeClosed())
		r.Open(1)
		_, leaf := r.Person()
		endFirst()
		var tree *Tree
		Eventually(ctx, begun).Should(Receive(&tree))
		r.Open(0)
		Eventually(ctx, process.Lookup).WithArguments(r.Pid).Should(HaveField("State", process.Zombie))
		beginSecond()
		members(ctx, tree, leaf)
		lives(ctx, tree, r.Oracle)
		r.Open(2)
		Expect(tree.Wait(ctx)).To(Succeed())
		Expect(r.Oracle.Held()).To(BeFalse())
	}, testproc.Patience)
})
