package process_test

import (
	"io/fs"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/internal/testproc"
	"github.com/gemini-monitor/gemini/tracker/process"
)

var _ = Describe("A group or session", Label("linux"), func() {
	// inhabited asks a reader that has read nothing. It cannot tell whether /proc hides
	// processes, so an answer without an error is the kernel's for the id alone.
	inhabited := func(id int) (bool, error) {
		r, err := process.OpenReader()
		if err != nil {
			return false, err
		}
		defer r.Close()
		return r.Inhabited(map[int]bool{id: true})
	}
	becomesZombie := func(ctx SpecContext, pid int) {
		GinkgoHelper()
		Eventually(ctx, func() (process.State, error) {
			p, err := process.Lookup(pid)
			return p.State, err
		}).Should(Equal(process.Zombie))
	}

	It("is known to be vacant once the last process has left the session of a dead leader", func(ctx SpecContext) {
		root := testproc.Perl(2, `
			my $leader = child {
				POSIX::setsid();
				child { setpgrp; report("member", $$); wait_at(0) };
			};
			waitpid $leader, 0;
			report("leader", $leader);
			wait_at(1);
		`)
		leader := root.Persons(2)["leader"]
		_, err := inhabited(leader)
		Expect(err).To(MatchError(fs.ErrPermission))
		root.Open(0)
		Eventually(ctx, inhabited).WithArguments(leader).Should(BeFalse(), "after init has reaped the member")
	}, testproc.Patience)

	It("is known to be vacant beside a zombie that made none", func(ctx SpecContext) {
		root := testproc.Perl(1, `report("zombie", child { }); wait_at(0)`)
		zombie := root.Persons(1)["zombie"]
		becomesZombie(ctx, zombie)
		Expect(inhabited(zombie)).To(BeFalse())
	}, testproc.Patience)

	DescribeTable("is not known to be vacant by the zombie that made it", func(ctx SpecContext, makes string) {
		root := testproc.Perl(1, `report("zombie", child { `+makes+` }); wait_at(0)`)
		zombie := root.Persons(1)["zombie"]
		becomesZombie(ctx, zombie)
		_, err := inhabited(zombie)
		Expect(err).To(MatchError(fs.ErrPermission))
	},
		Entry("when it leads the group", "setpgrp", testproc.Patience),
		Entry("when it leads the session", "POSIX::setsid()", testproc.Patience),
		Entry("when it has left the group to a child", "my $group = getpgrp; setpgrp; child { wait_at(0) }; setpgrp 0, $group or die", testproc.Patience),
	)
})
