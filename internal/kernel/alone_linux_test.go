package kernel

import (
	"os/exec"
	"syscall"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/internal/testproc"
	"github.com/gemini-monitor/gemini/tracker/process"
)

var _ = Describe("A process is alone", Label("linux"), func() {
	// alone asks about a process that has printed that it is ready, and waits.
	alone := func(ctx SpecContext, attr *syscall.SysProcAttr, script string) bool {
		GinkgoHelper()
		k, _, err := Open("pidfd")
		Expect(err).NotTo(HaveOccurred())
		defer k.Close()
		cmd := exec.Command("perl", "-e", "$| = 1; "+script+"; print qq(ready\n); <STDIN>")
		cmd.SysProcAttr = attr
		in := testproc.Sure(ctx, cmd.StdinPipe)
		out := testproc.Sure(ctx, cmd.StdoutPipe)
		Expect(cmd.Start()).To(Succeed())
		defer func() {
			in.Close()
			_ = cmd.Wait()
		}()
		Expect(out.Read(make([]byte, 6))).To(Equal(6))
		row := testproc.Sure(ctx, func() (p process.Row, err error) { return k.Lookup(cmd.Process.Pid) })
		return k.Alone(row)
	}

	It("without children, in a group and session of others", func(ctx SpecContext) {
		Expect(alone(ctx, nil, "")).To(BeTrue())
	}, testproc.Patience)

	DescribeTable("but not", func(ctx SpecContext, attr *syscall.SysProcAttr, script string) {
		Expect(alone(ctx, attr, script)).To(BeFalse())
	},
		Entry("with a child", nil, "my $child = fork // die; if (!$child) { <STDIN>; exit }", testproc.Patience),
		Entry("with a child that is dead", nil, "fork // die or exit", testproc.Patience),
		Entry("as the leader of a group", &syscall.SysProcAttr{Setpgid: true}, "", testproc.Patience),
		Entry("as the leader of a session", &syscall.SysProcAttr{Setsid: true}, "", testproc.Patience),
		Entry("when it has left its group to its child", &syscall.SysProcAttr{Setpgid: true},
			"my $child = fork // die; if (!$child) { <STDIN>; exit } setpgrp(0, getpgrp(getppid())) || die", testproc.Patience),
	)
})
