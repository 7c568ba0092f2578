//go:build darwin || linux

package tracker

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/internal/mark"
	"github.com/gemini-monitor/gemini/internal/testproc"
	"github.com/gemini-monitor/gemini/tracker/trees"
)

// daemons double-fork within a moment, lead sessions and close the lease. They hold the
// oracle, and end with the gate.
const daemons = `exec perl -MPOSIX -e '
	for (1 .. 20) {
		if (!fork) { POSIX::setsid(); POSIX::_exit(0) if fork; POSIX::close(5); sysread STDIN, my $byte, 1; POSIX::_exit(0) }
	}' <&3 >/dev/null`

var _ = withTracker("Daemons that only their environment connects with a command", func(open func() *Tracker) {
	// The perl of macOS is a program of Apple's, which hides its environment.
	It("are members of its tree", Label("linux"), func(ctx SpecContext) {
		t := open()
		b := newBrood(daemons)
		tree := b.start(ctx, t)
		Expect(b.cmd.Wait()).To(Succeed())
		Eventually(ctx, tree.Members).Should(HaveLen(20))
		Expect(tree.Check(ctx)).To(Equal(trees.Alive))
		Expect(b.gate.Close()).To(Succeed())
		Expect(tree.Wait(ctx)).To(Succeed())
		Expect(b.gone()).To(BeTrue())
	}, testproc.Patience)
})

var _ = withTracker("The environment of a command that is started by a tracker", func(open func() *Tracker) {
	It("is that of the caller, with the mark of the tree behind those that are there", func(ctx SpecContext) {
		t := open()
		outer := mark.New()
		b := newBrood(`echo "$A $MONITOR_MARK"`)
		b.cmd.Env = append(b.cmd.Environ(), "A=1", mark.Variable+"="+outer)
		before := len(b.cmd.Env)
		tree := b.start(ctx, t)
		line, err := b.output.ReadString('\n')
		Expect(err).NotTo(HaveOccurred())
		Expect(line).To(MatchRegexp(`^1 %s:[A-Z2-7]{26}\n$`, outer))
		Expect(b.cmd.Env).To(HaveLen(before))
		Expect(b.cmd.Wait()).To(Succeed())
		Expect(tree.Wait(ctx)).To(Succeed())
	}, testproc.Patience)
})
