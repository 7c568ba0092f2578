//go:build darwin || linux

package tracker

import (
	"strconv"
	"syscall"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/internal/rehearsal"
	"github.com/gemini-monitor/gemini/internal/testproc"
	"github.com/gemini-monitor/gemini/tracker/process"
	"github.com/gemini-monitor/gemini/tracker/trees"
)

var _ = withTracker("A tree", func(open func() *Tracker) {
	It("is not kept by a zombie", func(ctx SpecContext) {
		r := testproc.Perl(2, `
			my $dead = child { wait_at(1) };
			report("dead $dead");
			wait_at(0)
		`)
		_, dead := r.Person()
		tree := follow(ctx, open(), r.Pid)
		members(ctx, tree, r.Pid, dead)
		r.Open(1)
		members(ctx, tree, r.Pid)
		Expect(testproc.Sure(ctx, func() (process.Process, error) { return process.Lookup(dead) }).Identity.PID).To(Equal(dead), "it was reaped")
		ended := ends(ctx, tree, r.Oracle)
		lives(ctx, tree, r.Oracle)
		r.Open(0)
		Eventually(ctx, ended).Should(Receive(Equal(inTime)))
	}, testproc.Patience)

	It("is kept by a process that is stopped", func(ctx SpecContext) {
		r := testproc.Perl(1, `report("root $$"); kill STOP => $$; wait_at(0)`)
		r.Persons(1)
		Eventually(ctx, func() (process.Process, error) { return process.Lookup(r.Pid) }).Should(HaveField("State", process.Stopped))
		tree := follow(ctx, open(), r.Pid)
		ended := ends(ctx, tree, r.Oracle)
		r.Open(0) // which it cannot see
		lives(ctx, tree, r.Oracle)
		Expect(tree.Members()).To(ConsistOf(HaveField("State", process.Stopped)))
		Expect(ended).NotTo(Receive())
		Expect(r.Signal(syscall.SIGCONT)).To(Succeed())
		Eventually(ctx, ended).Should(Receive(Equal(inTime)))
	}, testproc.Patience)

	It("has one member with one identity through a storm of execs", func(ctx SpecContext) {
		script := `
			my ($left, $script) = @ARGV;
			wait_at(0) if $left == 200;
			exec $^X, "-e", $script, $left - 1, $script if $left;
			report("done $$");
			wait_at(1)
		`
		r := testproc.Perl(2, script, "200", testproc.Prelude+script)
		before := testproc.Sure(ctx, func() (process.Process, error) { return process.Lookup(r.Pid) }).Identity
		tree := follow(ctx, open(), r.Pid)
		ended := ends(ctx, tree, r.Oracle)
		r.Open(0)
		_, pid := r.Person()
		Expect(pid).To(Equal(r.Pid))
		Expect(testproc.Sure(ctx, func() (process.Process, error) { return process.Lookup(r.Pid) }).Identity).To(Equal(before))
		lives(ctx, tree, r.Oracle)
		Expect(tree.Members()).To(ConsistOf(HaveField("Identity", before)))
		r.Open(1)
		Eventually(ctx, ended).Should(Receive(Equal(inTime)))
	}, testproc.Patience)

	It("shows the name of the program that runs now", func(ctx SpecContext) {
		r := testproc.Lead(1, testproc.Cue{Argv: []string{"sh", "-c", `read line <&4; exec sleep 1000`}})
		tree := follow(ctx, open(), r.Pid)
		r.Open(0)
		Eventually(ctx, func() []trees.Member {
			_, err := tree.Check(ctx)
			Expect(testproc.Faulty || err == nil).To(BeTrue())
			return tree.Members()
		}).Should(ConsistOf(HaveField("Command", rehearsal.Name("sleep"))))
		Expect(r.Kill()).To(Succeed())
		Eventually(ctx, ends(ctx, tree, r.Oracle)).Should(Receive(Equal(inTime)))
	}, testproc.Patience)

	const chain = `
		sub chain { my $left = shift; child { chain($left - 1) } if $left; report("link $$"); wait_at(0) }
		wait_at(1);
		chain($ARGV[0])
	`

	It("has every generation of a long line, made before", func(ctx SpecContext) {
		deep := testproc.RoomFor(150)
		r := testproc.Perl(2, chain, strconv.Itoa(deep))
		r.Open(1)
		line := r.Crowd(deep + 1)
		tree := follow(ctx, open(), r.Pid)
		members(ctx, tree, line...)
		ended := ends(ctx, tree, r.Oracle)
		lives(ctx, tree, r.Oracle)
		r.Open(0)
		Eventually(ctx, ended).Should(Receive(Equal(inTime)))
	}, Serial, testproc.Patience)

	It("has every generation of a long line, made while it is followed", func(ctx SpecContext) {
		deep := testproc.RoomFor(150)
		r := testproc.Perl(2, chain, strconv.Itoa(deep))
		tree := follow(ctx, open(), r.Pid)
		ended := ends(ctx, tree, r.Oracle)
		r.Open(1)
		members(ctx, tree, r.Crowd(deep+1)...)
		lives(ctx, tree, r.Oracle)
		r.Open(0)
		Eventually(ctx, ended).Should(Receive(Equal(inTime)))
	}, Serial, testproc.Patience)

	It("has three hundred children, made while it is followed, and outlives all but the last", func(ctx SpecContext) {
		many := testproc.RoomFor(300)
		r := testproc.Perl(3, `
			wait_at(2);
			child { report("child $$"); wait_at($_ == 1 ? 1 : 0) } for 1 .. $ARGV[0];
			wait_at(0)
		`, strconv.Itoa(many))
		tree := follow(ctx, open(), r.Pid)
		ended := ends(ctx, tree, r.Oracle)
		r.Open(2)
		members(ctx, tree, append(r.Crowd(many), r.Pid)...)
		lives(ctx, tree, r.Oracle)
		r.Open(0)
		Eventually(ctx, tree.Members).Should(HaveLen(1))
		lives(ctx, tree, r.Oracle)
		Expect(ended).NotTo(Receive())
		r.Open(1)
		Eventually(ctx, ended).Should(Receive(Equal(inTime)))
	}, Serial, testproc.Patience)

	// storm ends with an orphan that lives a little longer than its parent: how
	// long does not matter to the oracle.
	const storm = `
		wait_at(0);
		for (1 .. 500) { my $pid = child { }; waitpid $pid, 0 }
		child { select undef, undef, undef, 0.01 };
	`
	It("is empty only after a storm of short lives in a group of its own has passed", func(ctx SpecContext) {
		c := testproc.PerlCue(storm)
		c.Sys = testproc.OwnGroup()
		r := testproc.Lead(1, c)
		tree := follow(ctx, open(), r.Pid)
		ended := ends(ctx, tree, r.Oracle)
		r.Open(0)
		Eventually(ctx, ended).Should(Receive(Equal(inTime)))
	}, testproc.Patience)

	It("is empty only after a storm of short lives in a stranger's group has passed", Label("named-forks"), func(ctx SpecContext) {
		tracker := open()
		if tracker.Capabilities().Forks != process.ForksNamed {
			Skip("an orphan whose parent dies before the table is read is known by its group alone")
		}
		r := testproc.Perl(1, storm)
		tree := follow(ctx, tracker, r.Pid)
		ended := ends(ctx, tree, r.Oracle)
		r.Open(0)
		Eventually(ctx, ended).Should(Receive(Equal(inTime)))
	}, testproc.Patience)
})
